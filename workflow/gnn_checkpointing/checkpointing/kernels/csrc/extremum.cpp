// Maximum (SIGN 1) or minimum (SIGN -1) of the rows x_j over the edges into each node, for each of CHANNELS columns of
// type NUMBER, both passes.
//
// The gradient follows torch's scatter_reduce, which PyG calls: a column's gradient g is shared evenly by all edges
// whose value is the extremum m. Torch also counts the zero that the output contained before, so an extremum of zero
// has one more sharer; PyG's layers train this way, and so do these kernels. An extremum of NaN has no sharers, which
// makes its gradient NaN.
//
// Nothing is kept: the backward pass recomputes m and its number of sharers. Columns are independent: each thread owns
// some of them and adds in a fixed order, without atomics.
#include "rows.h"

template <class Index>
struct Extremum {
  const Arguments& a;
  const Index* pointer;
  const Index* source;

  explicit Extremum(const Arguments& arguments)
      : a(arguments), pointer(static_cast<const Index*>(a.graph.pointer)),
        source(static_cast<const Index*>(a.graph.source)) {}

  // x_j times SIGN, so that the maximum is sought in both cases.
  INLINE V value(int64_t e, int c, auto width) const {
    return load<V>(static_cast<const T*>(a.x) + int64_t(source[e]) * C + c, width) * T(SIGN);
  }

  // NaN wins over any number, and stays.
  static INLINE V larger(V m, V x) { return (x <= m) | (m != m) ? m : x; }

  INLINE V extremum(int64_t begin, int64_t end, int c, auto width) const {
    constexpr int U = 4;
    V m[U];
    for (int u = 0; u < U; ++u) m[u] = value(begin, c, width);
    int64_t e = begin + 1;
    for (; e + U <= end; e += U)
#pragma GCC unroll 4
      for (int u = 0; u < U; ++u) m[u] = larger(m[u], value(e + u, c, width));
    for (; e < end; ++e) m[0] = larger(m[0], value(e, c, width));
    return larger(larger(m[0], m[1]), larger(m[2], m[3]));
  }

  void forward(int64_t i) const {
    const int64_t begin = pointer[i], end = pointer[i + 1];
    Row::each([&](int, int c, auto width) INLINE_LAMBDA {
      const V m = end > begin ? extremum(begin, end, c, width) * T(SIGN) : V{};
      store(static_cast<T*>(a.out) + i * C + c, m, width);
    });
  }

  INLINE void backward(int64_t i, int c, auto width) const {
    const int64_t begin = pointer[i], end = pointer[i + 1];
    if (begin == end) return;
    const V m = extremum(begin, end, c, width), one = same<V>(T(1));
    V sharers = m == T(0) ? one : V{};
    for (int64_t e = begin; e < end; ++e) sharers += value(e, c, width) == m ? one : V{};
    const V part = load<V>(static_cast<const T*>(a.gradient) + i * C + c, width) / sharers, none = part * T(0);
    for (int64_t e = begin; e < end; ++e) {
      T* slot = static_cast<T*>(a.out) + int64_t(source[e]) * C + c;
      store(slot, load<V>(slot, width) + (value(e, c, width) == m ? part : none), width);
    }
  }
};

template <class Index>
void run_forward(const Arguments& a) {
  const Graph& graph = a.graph;
  const Extremum<Index> work(a);
#pragma omp parallel for schedule(static, 1) num_threads(int(graph.threads))
  for (int64_t part = 0; part < graph.threads; ++part) {
    const int64_t end = first_row(graph, graph.pointer, graph.destinations, part + 1, graph.threads);
    for (int64_t i = first_row(graph, graph.pointer, graph.destinations, part, graph.threads); i < end; ++i)
      work.forward(i);
  }
}

template <class Index>
void run_backward(const Arguments& a) {
  const Extremum<Index> work(a);
  const int64_t parts = std::min<int64_t>(a.graph.threads, Row::vectors);
#pragma omp parallel for schedule(static, 1) num_threads(int(parts))
  for (int64_t part = 0; part < parts; ++part)
    for (int64_t i = 0; i < a.graph.destinations; ++i)
      Row::each([&](int k, int c, auto width) INLINE_LAMBDA {
        if (k * parts / Row::vectors == part) work.backward(i, c, width);
      });
}

extern "C" void forward(const Arguments* a) {
  a->graph.wide ? run_forward<int64_t>(*a) : run_forward<int32_t>(*a);
}
extern "C" void backward(const Arguments* a) {
  a->graph.wide ? run_backward<int64_t>(*a) : run_backward<int32_t>(*a);
}
