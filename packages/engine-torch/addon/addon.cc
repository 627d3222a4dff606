// One translation unit: most of the time of a compile goes into the headers of ATen, once.
#include "elementwise.cc"
#include "fused.cc"
#include "indexing.cc"
#include "module.cc"
#include "rearranging.cc"
#include "reductions.cc"
#include "sublayers.cc"
#include "units.cc"
