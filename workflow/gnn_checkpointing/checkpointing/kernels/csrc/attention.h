// Attention over the edges into each node, both passes, without a value kept per edge.
//
// An edge e from j to i has a score s, its share of i's edges is p = exp(s - L_i) with L_i = log sum exp(s), and the
// head's aggregate is y_i = sum of p f v, with f the dropout's factor (0 or 1 / (1 - dropout)) and v the edge's value:
//   GATv2         s = a . leaky(x_j + x_i + e)     v = x_j        (keys = values = x_j, queries = x_i)
//   GAT           s = leaky(u_j + v_i + w)         v = x_j        (one number a head: keys u, queries v, edge w)
//   Transformer   s = q_i . (k_j + e) / sqrt(C)    v = v_j + e
// The forward pass keeps L. With g the gradient of y_i and d = g . v, the softmax's gradient is
//   ds = p (f d - D_i),  D_i = sum over i's edges of p f d,
// and v gets p f g. With m = ds leaky'(z): GATv2's x_j, x_i and e get m a, its a gets m z; GAT's u, v and w get m;
// the Transformer's k and e get ds q / sqrt(C), its q gets ds (k + e) / sqrt(C).
//
// A node's edges are taken one head at a time, at most kChunk together, so that a chunk's part of the source rows,
// read from the shared caches for the scores, is still in the core's own when the values are summed.
#pragma once
#include <algorithm>
#include <cmath>

#include "random.h"
#include "tables.h"

struct Arguments {
  Graph graph;
  int64_t heads;
  const void *keys, *queries, *values, *attention, *edge, *gradient, *log_denominators;
  double slope, dropout;
  uint64_t seed;
  void *out, *kept;
  void *grad_keys, *grad_queries, *grad_values, *grad_attention, *grad_edge;
  void* scratch;
  int64_t scratch_edges, groups;
};

enum Kind { kGatv2, kGat, kTransformer };

constexpr int kChunk = 512;

template <class T, int C, Kind kind, bool edged>
struct Attention {
  static constexpr int W = lanes<T, C>();
  using Number = T;
  using V = Vector<T, W>;
  static constexpr T infinity = std::numeric_limits<T>::infinity();
  const Arguments& a;
  const Graph& graph;
  using Row = Columns<C, W>;
  static constexpr int64_t channels = C;
  const int64_t heads;
  const T slope, scale;
  const Dropout dropout;
  const bool drops;
  int64_t group = 0;  // of nodes, whose part of the attention vector's gradient is being summed
  // One chunk: the ends of its edges, and numbers of each edge for one head (rounded up to whole vectors).
  int64_t source[kChunk], given[kChunk], place[kChunk], edge_place[kChunk];
  T score[kChunk + W], raw[kChunk + W], dot[kChunk + W], factor[kChunk + 16];

  explicit Attention(const Arguments& arguments)
      : a(arguments), graph(a.graph), heads(a.heads), slope(T(a.slope)),
        scale(T(1 / std::sqrt(double(C)))), dropout(a.dropout, a.seed), drops(a.dropout > 0) {}

  template <class P>
  INLINE P* row(P* start, int64_t node, int64_t head) const {
    return start + (node * heads + head) * channels;
  }
  const T* in(const void* tensor) const { return static_cast<const T*>(tensor); }
  T* to(void* tensor) const { return static_cast<T*>(tensor); }

  // A row that every edge reads: held in registers where it is short.
  struct Held {
    const T* from;
    V held[Row::few ? Row::vectors : 1];
    INLINE explicit Held(const T* start) : from(start) {
      if constexpr (Row::few) Row::each([&](int k, int c, auto width) { held[k] = load<V>(start + c, width); });
    }
    INLINE V at(int k, int c, auto width) const {
      if constexpr (Row::few) return held[k];
      return load<V>(from + c, width);
    }
  };

  INLINE void gather(int64_t first, int count) {
    for (int l = 0; l < count; ++l) source[l] = graph.at(graph.source, first + l);
    for (int l = 0; l < count; ++l) place[l] = source[l] * heads * channels;
    if (edged || drops)
      for (int l = 0; l < count; ++l) given[l] = graph.given(first + l);
    if (edged)
      for (int l = 0; l < count; ++l) edge_place[l] = given[l] * heads * channels;
  }

  // out[l] = the sum of the lanes of part(l), for each edge l of the chunk; `beyond` for the lanes after the last.
  template <class F>
  INLINE void sums_of(int count, T* out, T beyond, F part) const {
    int l = 0;
    for (; l + W <= count; l += W) {
      V v[W];
#pragma GCC unroll 16
      for (int k = 0; k < W; ++k) v[k] = part(l + k);
      store(out + l, sums<T, W>(v), Full<W>{});
    }
    if (l < count) {
      if (W > 8 && count - l > 8)
        rest_of<W>(count, l, out, beyond, part);
      else if (W > 4 && count - l > 4)
        rest_of<W < 8 ? W : 8>(count, l, out, beyond, part);
      else
        rest_of<W < 4 ? W : 4>(count, l, out, beyond, part);
    }
  }

  // Fewer than N edges from `l` on: the last one fills up, and what it gives twice is cut off.
  template <int N, class F>
  INLINE void rest_of(int count, int l, T* out, T beyond, F part) const {
    V v[N];
#pragma GCC unroll 16
    for (int k = 0; k < N; ++k) v[k] = part(std::min(l + k, count - 1));
    store(out + l, first_lanes<T, W>(widened<T, N, W>(sums_of_few<T, W, N>(v)), count - l, beyond), Full<W>{});
  }

  INLINE V leaky(V z) const { return z > T(0) ? z : z * slope; }

  // The scores of the chunk; lanes beyond the last edge get no share.
  INLINE void scores(int64_t i, int64_t h, int count) {
    const T *keys = in(a.keys), *edge = in(a.edge);
    if constexpr (kind == kGat) {
      const T query = in(a.queries)[i * heads + h];
      for (int l = 0; l < count; ++l) {
        raw[l] = keys[source[l] * heads + h] + query;
        if (edged) raw[l] += edge[given[l] * heads + h];
      }
      for (int l = 0; l < count; l += W)
        store(score + l, first_lanes<T, W>(leaky(load<V>(raw + l, Full<W>{})), count - l, -infinity), Full<W>{});
    } else {
      const Held query(row(in(a.queries), i, h));
      const Held vector(kind == kGatv2 ? in(a.attention) + h * channels : query.from);
      sums_of(count, score, -infinity, [&](int l) INLINE_LAMBDA {
        const T *x = keys + place[l] + h * channels, *e = edged ? edge + edge_place[l] + h * channels : nullptr;
        V total = {};
        Row::each([&](int k, int c, auto width) INLINE_LAMBDA {
          V z = load<V>(x + c, width);
          if (edged) z += load<V>(e + c, width);
          if (kind == kGatv2)
            total += vector.at(k, c, width) * leaky(z + query.at(k, c, width));
          else
            total += query.at(k, c, width) * z;
        });
        return total;
      });
      if (kind == kTransformer)
        for (int l = 0; l < count; l += W) store(score + l, load<V>(score + l, Full<W>{}) * scale, Full<W>{});
    }
  }

  INLINE T largest(int count, T most) const {
    V each = same<V>(most);
    for (int l = 0; l < count; l += W) {
      const V s = load<V>(score + l, Full<W>{});
      each = each > s ? each : s;
    }
    return ::largest<T, W>(each);
  }

  INLINE void draw(int64_t h, int count) { dropout.factors(given, h, count, factor); }

  INLINE void scale_by_factors(T* numbers, int count) const {
    for (int l = 0; l < count; l += W)
      store(numbers + l, load<V>(numbers + l, Full<W>{}) * load<V>(factor + l, Full<W>{}), Full<W>{});
  }

  INLINE V value(const T* x, const T* e, auto width) const {
    V v = load<V>(x, width);
    if (edged && kind == kTransformer) v += load<V>(e, width);
    return v;
  }

  // Add the chunk's values by their shares (in `score`) to `out`, which is scaled first, or made.
  INLINE void add_values(int64_t h, int count, T* out, bool made, T rescale) const {
    const T *values = in(a.values), *edge = in(a.edge);
    Row::each([&](int, int c, auto width) INLINE_LAMBDA {
      constexpr int U = 4;
      V total[U] = {};
      const auto add = [&](V& sum, int l) INLINE_LAMBDA {
        const int64_t at = h * channels + c;
        sum += score[l] * value(values + place[l] + at, edged ? edge + edge_place[l] + at : nullptr, width);
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
      // A node without edges has zeros, and a denominator that nothing reads.
      const T by = end > begin ? 1 / denominator : T(0);
      for (int64_t c = 0; c < channels; ++c) out[c] = end > begin ? out[c] * by : T(0);
      to(a.kept)[i * heads + h] = end > begin ? most + std::log(denominator) : T(0);
    }
  }

  // Shares after dropout into `score`, g . v into `dot`, the chunk's part of D returned. `factor` becomes ds / D's rest.
  INLINE T shares(int64_t i, int64_t h, int count) {
    const T *values = in(a.values), *edge = in(a.edge);
    scores(i, h, count);
    const Held gradient(row(in(a.gradient), i, h));
    sums_of(count, dot, T(0), [&](int l) INLINE_LAMBDA {
      const T *x = values + place[l] + h * channels, *e = edged ? edge + edge_place[l] + h * channels : nullptr;
      V total = {};
      Row::each([&](int k, int c, auto width) INLINE_LAMBDA {
        total += gradient.at(k, c, width) * value(x + c, e + c, width);
      });
      return total;
    });
    if (drops) {
      draw(h, count);
      scale_by_factors(dot, count);
    }
    const T kept = in(a.log_denominators)[i * heads + h];
    V part = {};
    for (int l = 0; l < count; l += W) {
      const V p = exponential<T, W>(load<V>(score + l, Full<W>{}) - kept);
      part += p * load<V>(dot + l, Full<W>{});
      store(score + l, p, Full<W>{});
    }
    return sum<T, W>(part);
  }

  // From shares and g . v (times f) to ds in `dot` and shares after dropout in `score`.
  INLINE void score_gradients(int count, T of_all) {
    for (int l = 0; l < count; l += W) {
      const V p = load<V>(score + l, Full<W>{});
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

  // Gradients of one head over the chunk's edges with shares p and score gradients ds: those of the node i and of the
  // attention vector (`of_node`), those of sources and edges (`of_sources`).
  template <bool of_node, bool of_sources>
  INLINE void spread(int64_t i, int64_t h, int count, const T* p, const T* ds) {
    // Local copies: what is stored below could, for all the compiler knows, be these members.
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
        to(a.grad_queries)[i * heads + h] += sum<T, W>(total);
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
        // Products that are used twice are rounded first, the others where they are added: the same in each instance.
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
        store(slot, load<V>(slot, width) + total, width);
      }
      if (of_node && kind == kGatv2) {
        // A sum over all edges: each group of nodes has its own, which the caller adds up.
        T* slot = to(a.grad_attention) + (group * heads + h) * channels + c;
        store(slot, load<V>(slot, width) + (of_vector[0] + of_vector[1]), width);
      }
    });
  }

  // One node and head: everything, or without the sources, whose shares and score gradients go to `keep`.
  template <bool everything>
  void backward(int64_t i, int64_t h, bool gathered, T* keep, int64_t stride) {
    const int64_t begin = graph.begin(i), end = graph.begin(i + 1);
    const bool whole = end - begin <= kChunk;
    T of_all = 0;
    for (int64_t first = begin; first < end; first += kChunk) {
      const int count = int(std::min<int64_t>(kChunk, end - first));
      if (!gathered || !whole) gather(first, count);
      of_all += shares(i, h, count);
    }
    for (int64_t first = begin; first < end; first += kChunk) {
      const int count = int(std::min<int64_t>(kChunk, end - first));
      if (!whole) {
        gather(first, count);
        shares(i, h, count);
      }
      score_gradients(count, of_all);
      spread<true, everything>(i, h, count, score, dot);
      if (!everything) {
        std::copy_n(score, count, keep + first - begin);
        std::copy_n(dot, count, keep + stride + first - begin);
      }
    }
  }

  // The other half: sources from `low` to below `high` of node i's edges, from what `keep` has for each head.
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

// Heads do not meet in the gradient: where they suffice, each thread has its own.
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

// Else by turns: each thread takes a group of nodes and keeps its edges' shares and score gradients, then each adds
// what the groups' edges give the sources that it owns. A source's sum has one order, that of the destinations.
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
  a.heads % a.graph.threads == 0 ? backward_heads<Work>(a) : backward_turns<Work>(a);
}
