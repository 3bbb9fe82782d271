// Attention for heads of CHANNELS channels of type NUMBER, scored as KIND says, EDGED or not.
#include "attention_backward.h"
#include "attention_forward.h"

extern "C" void forward(const Arguments* a) { forward_all<Forward<NUMBER, CHANNELS, KIND, EDGED>>(*a); }
extern "C" void backward(const Arguments* a) { backward_all<Backward<NUMBER, CHANNELS, KIND, EDGED>>(*a); }
