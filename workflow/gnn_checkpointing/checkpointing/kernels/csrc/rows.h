// Arguments of the kernels that reduce rows; extrema take no weights and no edge vectors.
#pragma once
#include "tables.h"
#include "vectors.h"

struct Arguments {
  Graph graph;
  const void *source_pointer, *destination, *source_order;
  const void *x, *weight, *edge, *gradient;
  int64_t mean;
  void *out, *grad_weight, *grad_edge;
};

using T = NUMBER;
constexpr int C = CHANNELS, W = lanes<T, C>();
using V = Vector<T, W>;
using Row = Columns<C, W>;
