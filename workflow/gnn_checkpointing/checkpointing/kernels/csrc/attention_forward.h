// The forward pass of attention: a softmax over a node's edges, chunk by chunk, and the values weighted by its shares.
#pragma once
#include "attention.h"

template <class T, int C, Kind kind, bool edged>
struct Forward : Heads<T, C, kind, edged> {
  using Base = Heads<T, C, kind, edged>;
  using typename Base::Row, typename Base::V, typename Base::Held;
  using Base::a, Base::graph, Base::heads, Base::channels, Base::source, Base::given, Base::place, Base::edge_place;
  using Base::score, Base::raw, Base::dot, Base::factor, Base::slope, Base::drops, Base::in, Base::to, Base::row;
  using Base::W, Base::infinity, Base::gather, Base::scores, Base::draw, Base::scale_by_factors;
  using Base::Base;

  INLINE T largest(int count, T most) const {
    V each = same<V>(most);
    for (int l = 0; l < count; l += W) {
      const V s = load<V>(score + l, Full<W>{});
      each = each > s ? each : s;
    }
    return ::largest<T, W>(each);
  }

  // Add the chunk's values, weighted by their shares (in `score`), to the rescaled `out`; store them if not `made` yet.
  INLINE void add_values(int64_t h, int count, T* out, bool made, T rescale) const {
    const T *values = in(a.values), *edge = in(a.edge);
    Row::each([&](int, int c, auto width) INLINE_LAMBDA {
      constexpr int U = 4;
      V total[U] = {};
      const auto add = [&](V& sum, int l) INLINE_LAMBDA {
        const int64_t at = h * channels + c;
        sum += score[l] * Base::value(values + place[l] + at, edged ? edge + edge_place[l] + at : nullptr, width);
      };
      int l = 0;
      for (; l + U <= count; l += U)
#pragma GCC unroll 4
        for (int u = 0; u < U; ++u) add(total[u], l + u);
      for (; l < count; ++l) add(total[0], l);
      V sum = (total[0] + total[1]) + (total[2] + total[3]);
      if (made) sum += load<V>(out + c, width) * rescale;
      store(out + c, sum, width);
    });
  }

  void forward(int64_t i) {
    const int64_t begin = graph.begin(i), end = graph.begin(i + 1);
    for (int64_t h = 0; h < heads; ++h) {
      T most = -infinity, denominator = 0;
      T* out = row(to(a.out), i, h);
      for (int64_t first = begin; first < end; first += kChunk) {
        const int count = int(std::min<int64_t>(kChunk, end - first));
        if (h == 0 || end - begin > kChunk) gather(first, count);
        scores(i, h, count);
        const T now = largest(count, most);
        const T rescale = first == begin ? T(0) : exponential<T, W>(same<V>(most - now))[0];
        V parts = {};
        for (int l = 0; l < count; l += W) {
          const V p = exponential<T, W>(load<V>(score + l, Full<W>{}) - now);
          parts += p;
          store(score + l, p, Full<W>{});
        }
        denominator = denominator * rescale + sum<T, W>(parts);
        if (drops) {
          draw(h, count);
          scale_by_factors(score, count);
        }
        add_values(h, count, out, first != begin, rescale);
        most = now;
      }
      // A node without edges gets zeros, and a kept score that nothing reads.
      const T by = end > begin ? 1 / denominator : T(0);
      for (int64_t c = 0; c < channels; ++c) out[c] = end > begin ? out[c] * by : T(0);
      to(a.kept)[i * heads + h] = end > begin ? most : T(0);
    }
  }
};

template <class Work>
void forward_all(const Arguments& a) {
  const Graph& graph = a.graph;
#pragma omp parallel num_threads(int(graph.threads))
  {
#pragma omp for schedule(static, 1)
    for (int64_t part = 0; part < graph.threads; ++part) {
      Work work(a);
      const int64_t end = first_row(graph, graph.pointer, graph.destinations, part + 1, graph.threads);
      for (int64_t i = first_row(graph, graph.pointer, graph.destinations, part, graph.threads); i < end; ++i)
        work.forward(i);
    }
  }
}
