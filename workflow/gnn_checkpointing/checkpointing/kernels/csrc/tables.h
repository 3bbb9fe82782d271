// The graph in the form that the kernels read, and its division among threads.
#pragma once
#include <algorithm>
#include <cstdint>

// Edges sorted by destination, then by source: edges pointer[i] to pointer[i + 1] (exclusive) lead into node i.
// Integers have 8 bytes if `wide`, else 4.
struct Graph {
  int64_t destinations, sources, edges, wide, threads;
  const void *pointer, *source, *order;

  int64_t at(const void* numbers, int64_t i) const {
    return wide ? static_cast<const int64_t*>(numbers)[i] : static_cast<const int32_t*>(numbers)[i];
  }
  int64_t begin(int64_t i) const { return at(pointer, i); }
  int64_t given(int64_t edge) const { return order ? at(order, edge) : edge; }

  // The first edge, among the edges `begin` to `end` of one destination, whose source is not below `node`.
  int64_t first_from(int64_t node, int64_t begin, int64_t end) const {
    while (begin < end) {
      const int64_t middle = (begin + end) / 2;
      if (at(source, middle) < node)
        begin = middle + 1;
      else
        end = middle;
    }
    return begin;
  }

  // The first source of part `part` of `parts`, with sources split by number of edges, estimated from 1,024 edges.
  int64_t owned(int64_t part, int64_t parts) const {
    if (part <= 0 || edges == 0) return 0;
    if (part >= parts) return sources;
    int64_t sample[1024];
    for (int64_t k = 0; k < 1024; ++k) sample[k] = at(source, edges * k / 1024);
    std::nth_element(sample, sample + 1024 * part / parts, sample + 1024);
    return sample[1024 * part / parts];
  }
};

// The first row of part `part` of `parts`, with rows split by work: each row costs its edges and four more.
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
