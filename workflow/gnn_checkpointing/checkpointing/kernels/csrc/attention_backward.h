// The backward pass of attention: recomputes shares from the kept largest scores, then the gradients from the shares.
#pragma once
#include "attention.h"

template <class T, int C, Kind kind, bool edged>
struct Backward : Heads<T, C, kind, edged> {
  using Base = Heads<T, C, kind, edged>;
  using typename Base::Row, typename Base::V, typename Base::Held;
  using Base::a, Base::graph, Base::heads, Base::channels, Base::source, Base::given, Base::place, Base::edge_place;
  using Base::score, Base::raw, Base::dot, Base::factor, Base::slope, Base::drops, Base::in, Base::to, Base::row;
  using Base::W, Base::infinity, Base::gather, Base::scores, Base::draw, Base::scale_by_factors;
  using Base::Base, Base::scale, Base::sums_of;
  using Number = T;
  int64_t group = 0;  // the group of nodes whose part of the attention vector's gradient is being summed

  // Sums over a node's edges: of shares, and of p f d.
  struct Totals {
    T shares = 0, products = 0;
  };

  // Write shares before normalisation into `score` and g . v (times f) into `dot`, and add the chunk's part of both
  // sums to `totals`; the sum of the shares normalises them later.
  INLINE void shares(int64_t i, int64_t h, int count, Totals& totals) {
    const T *values = in(a.values), *edge = in(a.edge);
    scores(i, h, count);
    const Held gradient(row(in(a.gradient), i, h));
    sums_of(count, dot, T(0), [&](int l) INLINE_LAMBDA {
      const T *x = values + place[l] + h * channels, *e = edged ? edge + edge_place[l] + h * channels : nullptr;
      V total = {};
      Row::each([&](int k, int c, auto width) INLINE_LAMBDA {
        total += gradient.at(k, c, width) * Base::value(x + c, e + c, width);
      });
      return total;
    });
    if (drops) {
      draw(h, count);
      scale_by_factors(dot, count);
    }
    const T kept = in(a.shifts)[i * heads + h];
    V part = {}, all = {};
    for (int l = 0; l < count; l += W) {
      const V p = exponential<T, W>(load<V>(score + l, Full<W>{}) - kept);
      part += p * load<V>(dot + l, Full<W>{});
      all += p;
      store(score + l, p, Full<W>{});
    }
    totals.shares += sum<T, W>(all);
    totals.products += sum<T, W>(part);
  }

  // Turn shares before normalisation and g . v (times f) into ds in `dot` and shares after dropout in `score`.
  INLINE void score_gradients(int count, const Totals& totals) {
    const T by = 1 / totals.shares, of_all = totals.products * by;
    for (int l = 0; l < count; l += W) {
      const V p = load<V>(score + l, Full<W>{}) * by;
      store(score + l, p, Full<W>{});
      store(dot + l, p * (load<V>(dot + l, Full<W>{}) - of_all), Full<W>{});
    }
    if (drops) scale_by_factors(score, count);
    if constexpr (kind == kGat)
      for (int l = 0; l < count; l += W) {
        const V ds = load<V>(dot + l, Full<W>{});
        store(dot + l, load<V>(raw + l, Full<W>{}) > T(0) ? ds : ds * slope, Full<W>{});
      }
    if constexpr (kind == kTransformer)
      for (int l = 0; l < count; l += W) store(dot + l, load<V>(dot + l, Full<W>{}) * scale, Full<W>{});
  }

  // Gradients of one head from the shares p and score gradients ds of the chunk's edges: for node i and the attention
  // vector (`of_node`), for sources and edges (`of_sources`). Node i's own gradient, to which no other node adds, is
  // stored by its first chunk, and later chunks (`begun`) add to it.
  template <bool of_node, bool of_sources>
  INLINE void spread(int64_t i, int64_t h, int count, const T* p, const T* ds, bool begun = false) {
    // Local copies, since the compiler must assume that the stores below may change these members.
    const T *keys = in(a.keys), *edge = in(a.edge), *g = row(in(a.gradient), i, h);
    T *grad_keys = to(a.grad_keys), *grad_values = to(a.grad_values), *grad_edge = to(a.grad_edge);
    const T slope = this->slope;
    if constexpr (kind == kGat) {
      T* of_keys = grad_keys + h;
      if (of_sources)
        for (int l = 0; l < count; ++l) of_keys[source[l] * heads] += ds[l];
      if (of_sources && edged)
        for (int l = 0; l < count; ++l) grad_edge[given[l] * heads + h] = ds[l];
      if (of_node) {
        V total = {};
        for (int l = 0; l < count; l += W)
          total += first_lanes<T, W>(load<V>(ds + l, Full<W>{}), count - l, T(0));
        T& slot = to(a.grad_queries)[i * heads + h];
        slot = (begun ? slot : T(0)) + sum<T, W>(total);
      }
    }
    Row::each([&](int, int c, auto width) INLINE_LAMBDA {
      constexpr int U = 2;
      const V gradient = load<V>(g + c, width);
      V query = {}, vector = {}, of_query[U] = {}, of_vector[U] = {};
      if (kind != kGat) query = load<V>(row(in(a.queries), i, h) + c, width);
      if (kind == kGatv2) vector = load<V>(in(a.attention) + h * channels + c, width);
      const auto add = [&](int u, int l) INLINE_LAMBDA {
        const int64_t at = place[l] + h * channels + c;
        const int64_t at_edge = edged ? edge_place[l] + h * channels + c : 0;
        V of_value = p[l] * gradient, of_key = {};
        if constexpr (kind == kGatv2) {
          V z = load<V>(keys + at, width) + query;
          if (edged) z += load<V>(edge + at_edge, width);
          const V m = z > T(0) ? same<V>(ds[l]) : same<V>(ds[l] * slope);
          of_query[u] += m;
          of_vector[u] += m * z;
          of_key = m * vector;
        } else if constexpr (kind == kTransformer) {
          V k = load<V>(keys + at, width);
          if (edged) k += load<V>(edge + at_edge, width);
          of_query[u] += ds[l] * k;
          of_key = ds[l] * query;
        }
        // Products used twice are rounded first, others when they are added, so that all template instances agree.
        if constexpr (edged && kind != kGat) {
          of_key = ROUNDED(of_key);
          if (kind == kTransformer) of_value = ROUNDED(of_value);
          if (of_sources) store(grad_edge + at_edge, kind == kTransformer ? of_key + of_value : of_key, width);
        }
        if (!of_sources) return;
        if (kind == kTransformer)
          store(grad_keys + at, load<V>(grad_keys + at, width) + of_key, width);
        V slot = load<V>(grad_values + at, width) + of_value;
        if (kind == kGatv2) slot += of_key;
        store(grad_values + at, slot, width);
      };
      if (of_sources || kind != kGat) {
        int l = 0;
        for (; l + U <= count; l += U)
#pragma GCC unroll 4
          for (int u = 0; u < U; ++u) add(u, l + u);
        for (; l < count; ++l) add(0, l);
      }
      if (of_node && kind != kGat) {
        T* slot = row(to(a.grad_queries), i, h) + c;
        V total = of_query[0] + of_query[1];
        if (kind == kGatv2) total *= vector;
        if (begun) total += load<V>(slot, width);
        store(slot, total, width);
      }
      if (of_node && kind == kGatv2) {
        // A sum over all edges: each group of nodes has its own partial sum, and the caller adds them up.
        T* slot = to(a.grad_attention) + (group * heads + h) * channels + c;
        store(slot, load<V>(slot, width) + (of_vector[0] + of_vector[1]), width);
      }
    });
  }

  // One node and head: all gradients, or without sources and edges, whose shares and score gradients go to `keep`.
  template <bool everything>
  void backward(int64_t i, int64_t h, bool gathered, T* keep, int64_t stride) {
    const int64_t begin = graph.begin(i), end = graph.begin(i + 1);
    const bool whole = end - begin <= kChunk;
    const int64_t size = kind == kGat ? 1 : channels;
    if (begin == end) std::fill_n(to(a.grad_queries) + (i * heads + h) * size, size, T(0));
    Totals totals, ignored;
    for (int64_t first = begin; first < end; first += kChunk) {
      const int count = int(std::min<int64_t>(kChunk, end - first));
      if (!gathered || !whole) gather(first, count);
      shares(i, h, count, totals);
    }
    for (int64_t first = begin; first < end; first += kChunk) {
      const int count = int(std::min<int64_t>(kChunk, end - first));
      if (!whole) {
        gather(first, count);
        shares(i, h, count, ignored);
      }
      score_gradients(count, totals);
      spread<true, everything>(i, h, count, score, dot, first > begin);
      if (!everything) {
        std::copy_n(score, count, keep + first - begin);
        std::copy_n(dot, count, keep + stride + first - begin);
      }
    }
  }

  // The other half: sources `low` to `high` (exclusive) among node i's edges, from the values in `keep` for each head.
  void backward_sources(int64_t i, int64_t low, int64_t high, const T* keep, int64_t stride) {
    const int64_t begin = graph.begin(i), end = graph.begin(i + 1);
    const int64_t last = graph.first_from(high, begin, end);
    for (int64_t first = graph.first_from(low, begin, end); first < last; first += kChunk) {
      const int count = int(std::min<int64_t>(kChunk, last - first));
      gather(first, count);
      for (int64_t h = 0; h < heads; ++h) {
        const T* p = keep + 2 * h * stride + first - begin;
        spread<false, true>(i, h, count, p, p + stride);
      }
    }
  }
};

// Heads are independent: if their number is a multiple of the number of threads, each thread has its own heads.
template <class Work>
void backward_heads(const Arguments& a) {
  const int64_t parts = a.graph.threads;
#pragma omp parallel for schedule(static, 1) num_threads(int(parts))
  for (int64_t part = 0; part < parts; ++part) {
    Work work(a);
    const int64_t first = a.heads * part / parts, end = a.heads * (part + 1) / parts;
    for (work.group = 0; work.group < a.groups; ++work.group) {
      const int64_t last = first_row(a.graph, a.graph.pointer, a.graph.destinations, work.group + 1, a.groups);
      int64_t i = first_row(a.graph, a.graph.pointer, a.graph.destinations, work.group, a.groups);
      for (; i < last; ++i)
        for (int64_t h = first; h < end; ++h) work.template backward<true>(i, h, h != first, nullptr, 0);
    }
  }
}

// Otherwise in turns: each thread takes a group of nodes and keeps the shares and score gradients of its edges, then
// adds what all threads' groups contribute to the sources that it owns. Each source sums in the order of destinations.
template <class Work>
void backward_turns(const Arguments& a) {
  using T = typename Work::Number;
  const Graph& graph = a.graph;
  const int64_t threads = graph.threads, stride = a.scratch_edges, room = 2 * a.heads * stride;
#pragma omp parallel num_threads(int(threads))
  {
    Work work(a);
    for (int64_t turn = 0; turn < a.groups; turn += threads) {
      const auto first = [&](int64_t t) {
        return first_row(graph, graph.pointer, graph.destinations, std::min(turn + t, a.groups), a.groups);
      };
      const auto keep = [&](int64_t t, int64_t i) {
        return static_cast<T*>(a.scratch) + t * room + graph.begin(i) - graph.begin(first(t));
      };
#pragma omp for schedule(static, 1)
      for (int64_t t = 0; t < threads; ++t) {
        work.group = turn + t;
        for (int64_t i = first(t); i < first(t + 1); ++i)
          for (int64_t h = 0; h < a.heads; ++h)
            work.template backward<false>(i, h, h > 0, keep(t, i) + 2 * h * stride, stride);
      }
#pragma omp for schedule(static, 1)
      for (int64_t owner = 0; owner < threads; ++owner) {
        const int64_t low = graph.owned(owner, threads), high = graph.owned(owner + 1, threads);
        for (int64_t t = 0; t < threads; ++t)
          for (int64_t i = first(t); i < first(t + 1); ++i) work.backward_sources(i, low, high, keep(t, i), stride);
      }
    }
  }
}

template <class Work>
void backward_all(const Arguments& a) {
  using T = typename Work::Number;
  a.heads % a.graph.threads == 0 ? backward_heads<Work>(a) : backward_turns<Work>(a);
  if (!a.attention) return;
  // Sum the groups' parts, in an order independent of the number of threads, into the place of the first group's part.
  T* parts = static_cast<T*>(a.grad_attention);
  const int64_t size = a.heads * Work::channels;
  for (int64_t c = 0; c < size; ++c) {
    double sum = 0;
    for (int64_t group = 0; group < a.groups; ++group) sum += parts[group * size + c];
    parts[c] = T(sum);
  }
}
