// Weighted sums and means over the edges into each node, both passes, for rows of CHANNELS numbers of type NUMBER.
//
// y_i = sum of w_e x_j, or with edge vectors (EDGED) of relu(x_j + e_e), over the edges e from j to i, divided by i's
// number of edges for a `mean`. With g_i the gradient of y_i (divided likewise), x_j gets the sum of w_e g_i over the
// edges out of j, and w_e gets g_i . x_j; with edge vectors, e_e gets g_i where x_j + e_e > 0, and x_j gets their sum.
// Weights are in the order of the edges as given or, without `order`, in the order of the pass.
//
// A node's sum stays in registers while its neighbours' rows are read, in the forward pass through the table sorted by
// destination, in the backward pass through the one sorted by source. Nothing is written twice, so threads need no
// atomics and results are bitwise reproducible.
#include "rows.h"

const T* in(const void* tensor) { return static_cast<const T*>(tensor); }
T* to(void* tensor) { return static_cast<T*>(tensor); }

template <class Index>
struct Sums {
  const Arguments& a;
  const Graph& graph;
  const Index *pointer, *other, *order;

  // Edges sorted by the end for which this pass sums; `other` is their other end.
  Sums(const Arguments& arguments, const void* ends, const void* others, const void* orders)
      : a(arguments), graph(a.graph), pointer(static_cast<const Index*>(ends)),
        other(static_cast<const Index*>(others)), order(static_cast<const Index*>(orders)) {}

  T mean_of(int64_t i) const {
    const Index* destinations = static_cast<const Index*>(graph.pointer);
    return T(1) / T(destinations[i + 1] - destinations[i]);
  }

  // Sum over one node's edges into `out`: the rows at their other end, times weights or with edge vectors.
  template <bool back>
  INLINE void node(int64_t node, const T* rows, T* out) const {
    const int64_t begin = pointer[node], end = pointer[node + 1];
    constexpr int U = Row::vectors <= 4 ? 4 : 1, B = Row::few ? Row::vectors : 8;
    // At most eight column vectors at a time, so that the sums stay in registers.
    for (int block = 0; block < Row::vectors; block += B) {
      V total[U][B] = {};
      const auto add = [&](V* sum, int64_t e) INLINE_LAMBDA {
        T weight = a.weight ? in(a.weight)[order ? order[e] : e] : T(1);
        if (back && a.mean) weight *= mean_of(other[e]);
        const T* row = rows + int64_t(other[e]) * C;
        columns(block, [&](int k, int c, auto width) INLINE_LAMBDA {
          V v = load<V>(row + c, width);
          if (EDGED) {  // relu and its gradient as torch has them: NaN passes
            const int64_t at = int64_t(order[e]) * C + c;
            const V x = back ? load<V>(in(a.x) + node * C + c, width) : v;
            const V z = x + load<V>(in(a.edge) + at, width);
            if (back) {
              v = z <= T(0) ? V{} : v * weight;
              store(to(a.grad_edge) + at, v, width);
              sum[k] += v;
              return;
            }
            v = z <= T(0) ? V{} : z;
          }
          sum[k] += weight * v;
        });
      };
      int64_t e = begin;
      for (; e + U <= end; e += U)
#pragma GCC unroll 4
        for (int u = 0; u < U; ++u) add(total[u], e + u);
      for (; e < end; ++e) add(total[0], e);
      const T scale = !back && a.mean && end > begin ? T(1) / T(end - begin) : T(1);
      columns(block, [&](int k, int c, auto width) INLINE_LAMBDA {
        V sum = total[0][k];
#pragma GCC unroll 4
        for (int u = 1; u < U; ++u) sum += total[u][k];
        store(out + c, sum * scale, width);
      });
    }
  }

  // Call f(index within the block, column, width) for up to eight vectors from `block` on.
  template <class F>
  static INLINE void columns(int block, F f) {
    if constexpr (Row::few) {
      Row::each(f);
    } else {
      for (int k = 0; k < 8 && block + k < Row::full; ++k) f(k, (block + k) * W, Full<W>{});
      if constexpr (Row::rest > 0)
        if (Row::full >= block && Row::full < block + 8) f(Row::full - block, Row::full * W, Full<Row::rest>{});
    }
  }

  // The gradients of the weights of j's edges: g_i . x_j, W edges at a time.
  void weights(int64_t j) const {
    const int64_t begin = pointer[j], end = pointer[j + 1];
    const T* x = in(a.x) + j * C;
    for (int64_t first = begin; first < end; first += W) {
      V v[W];
#pragma GCC unroll 16
      for (int l = 0; l < W; ++l) {
        const T* g = in(a.gradient) + int64_t(other[std::min<int64_t>(first + l, end - 1)]) * C;
        v[l] = V{};
        Row::each([&](int, int c, auto width) INLINE_LAMBDA {
          v[l] += load<V>(g + c, width) * load<V>(x + c, width);
        });
      }
      const V products = sums<T, W>(v);
      for (int64_t e = first; e < std::min<int64_t>(first + W, end); ++e)
        to(a.grad_weight)[order[e]] = products[e - first] * (a.mean ? mean_of(other[e]) : T(1));
    }
  }
};

template <class Index>
void run_forward(const Arguments& a) {
  const Graph& graph = a.graph;
  const Sums<Index> sums(a, graph.pointer, graph.source, graph.order);
#pragma omp parallel for schedule(static, 1) num_threads(int(graph.threads))
  for (int64_t part = 0; part < graph.threads; ++part) {
    const int64_t end = first_row(graph, graph.pointer, graph.destinations, part + 1, graph.threads);
    for (int64_t i = first_row(graph, graph.pointer, graph.destinations, part, graph.threads); i < end; ++i)
      sums.template node<false>(i, in(a.x), to(a.out) + i * C);
  }
}

template <class Index>
void run_backward(const Arguments& a) {
  const Graph& graph = a.graph;
  const Sums<Index> sums(a, a.source_pointer, a.destination, a.source_order);
#pragma omp parallel for schedule(static, 1) num_threads(int(graph.threads))
  for (int64_t part = 0; part < graph.threads; ++part) {
    const int64_t end = first_row(graph, a.source_pointer, graph.sources, part + 1, graph.threads);
    for (int64_t j = first_row(graph, a.source_pointer, graph.sources, part, graph.threads); j < end; ++j) {
      sums.template node<true>(j, in(a.gradient), to(a.out) + j * C);
      if (a.grad_weight) sums.weights(j);
    }
  }
}

extern "C" void forward(const Arguments* a) {
  a->graph.wide ? run_forward<int64_t>(*a) : run_forward<int32_t>(*a);
}
extern "C" void backward(const Arguments* a) {
  a->graph.wide ? run_backward<int64_t>(*a) : run_backward<int32_t>(*a);
}
