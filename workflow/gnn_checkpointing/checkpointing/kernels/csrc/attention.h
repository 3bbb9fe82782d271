// Attention over the edges into each node, both passes, without keeping a value per edge.
//
// An edge e from j to i has a score s and, among i's edges, the share p = exp(s - L_i) with L_i = log sum exp(s). The
// head's aggregate is y_i = sum of p f v, with f the dropout factor (0 or 1 / (1 - dropout)) and v the edge's value:
//   GATv2         s = a . leaky(x_j + x_i + e)     v = x_j        (keys = values = x_j, queries = x_i)
//   GAT           s = leaky(u_j + v_i + w)         v = x_j        (one number a head: keys u, queries v, edge w)
//   Transformer   s = q_i . (k_j + e) / sqrt(C)    v = v_j + e
// The forward pass keeps the largest score of each node and head, from which the backward pass recomputes exponentials
// and their sum. With g the gradient of y_i and d = g . v, the softmax's gradient is
//   ds = p (f d - D_i),  D_i = sum over i's edges of p f d,
// and v gets p f g. With m = ds leaky'(z): GATv2's x_j, x_i and e get m a, its a gets m z; GAT's u, v and w get m;
// the Transformer's k and e get ds q / sqrt(C), its q gets ds (k + e) / sqrt(C).
//
// A node's edges are processed one head at a time, in chunks of at most kChunk. The parts of source rows that a chunk
// reads from the shared caches for its scores are then still in the core's own cache when the values are summed.
#pragma once
#include <algorithm>
#include <cmath>

#include "random.h"
#include "tables.h"

struct Arguments {
  Graph graph;
  int64_t heads;
  const void *keys, *queries, *values, *attention, *edge, *gradient, *shifts;
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
struct Heads {
  static constexpr int W = lanes<T, C>();
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
  // One chunk: the indices of its edges, and numbers of each edge for one head (padded to whole vectors).
  int64_t source[kChunk], given[kChunk], place[kChunk], edge_place[kChunk];
  T score[kChunk + W], raw[kChunk + W], dot[kChunk + W];
  // Read in whole vectors: entries beyond the last edge are multiplied by zeros, so they must be finite.
  T factor[kChunk + 16] = {};

  explicit Heads(const Arguments& arguments)
      : a(arguments), graph(a.graph), heads(a.heads), slope(T(a.slope)),
        scale(T(1 / std::sqrt(double(C)))), dropout(a.dropout, a.seed), drops(a.dropout > 0) {}

  template <class P>
  INLINE P* row(P* start, int64_t node, int64_t head) const {
    return start + (node * heads + head) * channels;
  }
  const T* in(const void* tensor) const { return static_cast<const T*>(tensor); }
  T* to(void* tensor) const { return static_cast<T*>(tensor); }

  // A row that every edge reads, held in registers if it is short.
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

  // At most N edges from `l` on: the last edge is repeated to fill the vector, and its repetitions are cut off.
  template <int N, class F>
  INLINE void rest_of(int count, int l, T* out, T beyond, F part) const {
    V v[N];
#pragma GCC unroll 16
    for (int k = 0; k < N; ++k) v[k] = part(std::min(l + k, count - 1));
    store(out + l, first_lanes<T, W>(widened<T, N, W>(sums_of_few<T, W, N>(v)), count - l, beyond), Full<W>{});
  }

  INLINE V leaky(V z) const { return z > T(0) ? z : z * slope; }

  // Compute the chunk's scores; lanes beyond the last edge get minus infinity, and thus no share.
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

  INLINE void draw(int64_t h, int count) { dropout.factors(given, h, count, factor); }

  INLINE void scale_by_factors(T* numbers, int count) const {
    for (int l = 0; l < count; l += W)
      store(numbers + l, load<V>(numbers + l, Full<W>{}) * load<V>(factor + l, Full<W>{}), Full<W>{});
  }

  static INLINE V value(const T* x, const T* e, auto width) {
    V v = load<V>(x, width);
    if (edged && kind == kTransformer) v += load<V>(e, width);
    return v;
  }
};
