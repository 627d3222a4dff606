// Operations that work number by number, with broadcasting, and the ones that make tensors from numbers.
#include "call.h"

namespace winnow {
namespace {

using Unary = at::Tensor (*)(const at::Tensor&);
using Binary = at::Tensor (*)(const at::Tensor&, const at::Tensor&);

template <Unary operation>
void unary(Call& call) {
  call.give(operation(call.tensor()));
}

template <Binary operation>
void binary(Call& call) {
  const at::Tensor a = call.tensor();
  const at::Tensor b = call.tensor();
  call.give(operation(a, b));
}

at::Tensor sum(const at::Tensor& a, const at::Tensor& b) { return at::add(a, b); }
at::Tensor difference(const at::Tensor& a, const at::Tensor& b) { return at::sub(a, b); }
at::Tensor squaredDifference(const at::Tensor& a, const at::Tensor& b) { return at::sub(a, b).square_(); }
at::Tensor softplus(const at::Tensor& x) { return at::softplus(x); }
at::Tensor elu(const at::Tensor& x) { return at::elu(x); }
at::Tensor eluGradient(const at::Tensor& dy, const at::Tensor& y) {
  return at::where(y.ge(0), dy, dy * (y + 1));
}
at::Tensor isFinite(const at::Tensor& x) { return at::isfinite(x); }
at::Tensor parametricRelu(const at::Tensor& x, const at::Tensor& slope) {
  return at::where(x.lt(0), x * slope, x);
}

void step(Call& call) {
  const at::Tensor x = call.tensor();
  const double below = call.number();
  const at::Tensor stepped = at::where(x.gt(0), at::ones({}, x.options()), at::full({}, below, x.options()));
  call.give(x.is_floating_point() ? at::where(x.isnan(), x, stepped) : stepped);
}

void leakyRelu(Call& call) {
  const at::Tensor x = call.tensor();
  call.give(at::leaky_relu(x, call.number()));
}

void clip(Call& call) {
  const at::Tensor x = call.tensor();
  const double least = call.number();
  call.give(at::clamp(x, least, call.number()));
}

void cast(Call& call) {
  const at::Tensor x = call.tensor();
  call.give(x.to(call.type()));
}

void select(Call& call) {
  const at::Tensor condition = call.tensor();
  const at::Tensor whenTrue = call.tensor();
  const at::Tensor whenFalse = call.tensor();
  call.give(at::where(condition.to(at::kBool), whenTrue, whenFalse));
}

void addAll(Call& call) {
  const auto terms = call.tensors();
  at::Tensor total = terms.at(0).clone();
  for (size_t i = 1; i < terms.size(); i++) total.add_(terms[i]);
  call.give(total);
}

void fill(Call& call) {
  const auto shape = call.integers();
  const double value = call.number();
  call.give(at::full(shape, value, call.options(call.type())));
}

/** start, start + step, …: as many as JavaScript has counted, so that both sides agree about the last one. */
void range(Call& call) {
  const double start = call.number();
  const double step = call.number();
  const int64_t count = call.integer();
  const auto type = call.type();
  call.give(at::arange(count, call.options(at::kDouble)).mul_(step).add_(start).to(type));
}

}  // namespace

void addElementwise(Operations& operations) {
  const Operations own = {
      {"abs", unary<at::abs>}, {"acos", unary<at::acos>}, {"acosh", unary<at::acosh>},
      {"asin", unary<at::asin>}, {"asinh", unary<at::asinh>}, {"atan", unary<at::atan>},
      {"atanh", unary<at::atanh>}, {"ceil", unary<at::ceil>}, {"cos", unary<at::cos>},
      {"cosh", unary<at::cosh>}, {"elu", unary<elu>}, {"erf", unary<at::erf>},
      {"exp", unary<at::exp>}, {"expm1", unary<at::expm1>}, {"floor", unary<at::floor>},
      {"isFinite", unary<isFinite>}, {"isInf", unary<at::isinf>}, {"isNan", unary<at::isnan>},
      {"log", unary<at::log>}, {"log1p", unary<at::log1p>}, {"logicalNot", unary<at::logical_not>},
      {"neg", unary<at::neg>}, {"reciprocal", unary<at::reciprocal>}, {"relu", unary<at::relu>},
      {"relu6", unary<at::relu6>}, {"round", unary<at::round>}, {"rsqrt", unary<at::rsqrt>},
      {"selu", unary<at::selu>}, {"sigmoid", unary<at::sigmoid>}, {"sign", unary<at::sign>},
      {"sin", unary<at::sin>}, {"sinh", unary<at::sinh>}, {"softplus", unary<softplus>},
      {"sqrt", unary<at::sqrt>}, {"square", unary<at::square>}, {"tan", unary<at::tan>},
      {"tanh", unary<at::tanh>},

      {"add", binary<sum>}, {"atan2", binary<at::atan2>}, {"divide", binary<at::div>},
      {"eluGradient", binary<eluGradient>}, {"equal", binary<at::eq>}, {"floorDivide", binary<at::floor_divide>},
      {"greater", binary<at::gt>}, {"greaterEqual", binary<at::ge>}, {"less", binary<at::lt>},
      {"lessEqual", binary<at::le>}, {"logicalAnd", binary<at::logical_and>},
      {"logicalOr", binary<at::logical_or>}, {"maximum", binary<at::maximum>},
      {"minimum", binary<at::minimum>}, {"multiply", binary<at::mul>}, {"notEqual", binary<at::ne>},
      {"parametricRelu", binary<parametricRelu>}, {"power", binary<at::pow>},
      {"remainder", binary<at::remainder>}, {"squaredDifference", binary<squaredDifference>},
      {"subtract", binary<difference>},

      {"addAll", addAll}, {"cast", cast}, {"clip", clip}, {"fill", fill},
      {"leakyRelu", leakyRelu}, {"range", range}, {"select", select}, {"step", step},
  };
  operations.insert(operations.end(), own.begin(), own.end());
}

}  // namespace winnow
