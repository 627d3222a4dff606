// Matrix products and everything that makes one number of many.
#include "call.h"

namespace winnow {
namespace {

void matrixProduct(Call& call) {
  at::Tensor a = call.tensor();
  at::Tensor b = call.tensor();
  if (call.flag()) a = a.transpose(-2, -1);
  if (call.flag()) b = b.transpose(-2, -1);
  if (call.isBf16() && a.is_floating_point()) {
    a = a.to(at::kBFloat16);
    b = b.to(at::kBFloat16);
  }
  call.give(at::matmul(a, b));
}

struct Reduction {
  at::Tensor x;
  std::vector<int64_t> axes;
  bool keepsAxes;
};

Reduction reductionOf(Call& call) {
  Reduction read;
  read.x = call.tensor();
  read.axes = call.integers();
  read.keepsAxes = call.flag();
  return read;
}

/** libtorch takes no axes for all axes, TensorFlow.js for none; over none there is nothing to do. */
bool isIdentity(const Reduction& reduction) { return reduction.axes.empty(); }

void sum(Call& call) {
  const Reduction r = reductionOf(call);
  call.give(isIdentity(r) ? r.x : at::sum(r.x, r.axes, r.keepsAxes));
}

void mean(Call& call) {
  const Reduction r = reductionOf(call);
  const at::Tensor x = r.x.to(at::kFloat);
  call.give(isIdentity(r) ? x : at::mean(x, r.axes, r.keepsAxes));
}

void greatest(Call& call) {
  const Reduction r = reductionOf(call);
  call.give(isIdentity(r) ? r.x : at::amax(r.x, r.axes, r.keepsAxes));
}

void least(Call& call) {
  const Reduction r = reductionOf(call);
  call.give(isIdentity(r) ? r.x : at::amin(r.x, r.axes, r.keepsAxes));
}

using AlongOne = at::Tensor (*)(const at::Tensor&, int64_t, bool);

/** Axis by axis, the last first, so that the numbers of the others stay right. Axes come in ascending order. */
template <AlongOne operation>
void oneByOne(Call& call) {
  const Reduction r = reductionOf(call);
  at::Tensor x = r.x;
  for (auto axis = r.axes.rbegin(); axis != r.axes.rend(); ++axis) x = operation(x, *axis, r.keepsAxes);
  call.give(x);
}

at::Tensor product(const at::Tensor& x, int64_t axis, bool keeps) { return at::prod(x, axis, keeps); }
at::Tensor all(const at::Tensor& x, int64_t axis, bool keeps) { return at::all(x, axis, keeps); }
at::Tensor any(const at::Tensor& x, int64_t axis, bool keeps) { return at::any(x, axis, keeps); }

void positionOfGreatest(Call& call) {
  const at::Tensor x = call.tensor();
  call.give(at::argmax(x, call.integer()));
}

void positionOfLeast(Call& call) {
  const at::Tensor x = call.tensor();
  call.give(at::argmin(x, call.integer()));
}

void softmax(Call& call) {
  const at::Tensor x = call.tensor();
  call.give(at::softmax(x, call.integer()));
}

void logSoftmax(Call& call) {
  const at::Tensor x = call.tensor();
  call.give(at::log_softmax(x, call.integer()));
}

template <bool multiplies>
void cumulative(Call& call) {
  at::Tensor x = call.tensor();
  const int64_t axis = call.integer();
  const bool isExclusive = call.flag();
  const bool isReverse = call.flag();
  if (isReverse) x = x.flip(axis);
  at::Tensor result = multiplies ? at::cumprod(x, axis) : at::cumsum(x, axis);
  if (isExclusive && x.size(axis) > 0) {  // one further on: the first place holds the neutral element
    at::Tensor moved = multiplies ? at::ones_like(result) : at::zeros_like(result);
    const int64_t others = x.size(axis) - 1;
    moved.narrow(axis, 1, others).copy_(result.narrow(axis, 0, others));
    result = moved;
  }
  call.give(isReverse ? result.flip(axis) : result);
}

/** The k greatest of the last axis; equal numbers keep their order, as in TensorFlow.js. */
void greatestOfLastAxis(Call& call) {
  const at::Tensor x = call.tensor();
  const int64_t k = call.integer();
  const auto sorted = at::sort(x, /*stable=*/c10::optional<bool>(true), /*dim=*/-1, /*descending=*/true);
  call.give(std::get<0>(sorted).narrow(-1, 0, k));
  call.give(std::get<1>(sorted).narrow(-1, 0, k));
}

}  // namespace

void addReductions(Operations& operations) {
  const Operations own = {
      {"all", oneByOne<all>},
      {"any", oneByOne<any>},
      {"cumulativeProduct", cumulative<true>},
      {"cumulativeSum", cumulative<false>},
      {"greatest", greatest},
      {"greatestOfLastAxis", greatestOfLastAxis},
      {"least", least},
      {"logSoftmax", logSoftmax},
      {"matrixProduct", matrixProduct},
      {"mean", mean},
      {"positionOfGreatest", positionOfGreatest},
      {"positionOfLeast", positionOfLeast},
      {"product", oneByOne<product>},
      {"softmax", softmax},
      {"sum", sum},
  };
  operations.insert(operations.end(), own.begin(), own.end());
}

}  // namespace winnow
