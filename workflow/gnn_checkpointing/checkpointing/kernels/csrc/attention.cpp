// Attention for heads of CHANNELS channels of type NUMBER, scored as KIND says, EDGED or not.
#include "attention.h"

using Work = Attention<NUMBER, CHANNELS, KIND, EDGED>;

extern "C" void forward(const Arguments* a) { forward_all<Work>(*a); }
extern "C" void backward(const Arguments* a) { backward_all<Work>(*a); }
