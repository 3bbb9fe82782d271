// The graph as the kernels read it, and how destinations are shared among threads.
#pragma once
#include <cstdint>

// Edges sorted by destination: those of i are pointer[i] to pointer[i + 1]. Whole numbers of 4 or 8 bytes.
struct Graph {
  int64_t destinations, sources, edges, wide, threads;
  const void *pointer, *source, *order;

  int64_t at(const void* numbers, int64_t i) const {
    return wide ? static_cast<const int64_t*>(numbers)[i] : static_cast<const int32_t*>(numbers)[i];
  }
  int64_t begin(int64_t i) const { return at(pointer, i); }
  int64_t given(int64_t edge) const { return order ? at(order, edge) : edge; }
};

// The first row of part `part` of `parts` when rows are split by their edges; a row counts as four edges by itself.
inline int64_t first_row(const Graph& graph, const void* pointer, int64_t rows, int64_t part, int64_t parts) {
  if (part >= parts) return rows;
  const int64_t wanted = (graph.edges + 4 * rows) * part / parts;
  int64_t low = 0, high = rows;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (graph.at(pointer, middle) + 4 * middle < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}
