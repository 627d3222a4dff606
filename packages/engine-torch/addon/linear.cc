// The layers outside the sub-layers (packages/core/src/operations/linear.ts).
#include "linear.h"

#include "arguments.h"
#include "packed-weights.h"

namespace winnow {
namespace {

void linear(Call& call) {
  Tensors tensors(call);
  const at::Tensor x = tensors.next(), weight = tensors.next(), bias = tensors.next();
  if (!call.hasOwnKernels()) {
    const auto operand = [&](const at::Tensor& tensor) { return operandOf(call, tensor); };
    return call.give(at::addmm(operand(bias), operand(x), operand(weight)));
  }
  const Workspace workspace;
  at::Tensor y = at::empty({x.size(0), weight.size(1)}, at::kFloat);
  const Weight layer{weight.data_ptr<float>(), bias.data_ptr<float>(), {weight.size(0)}, {weight.size(1)}};
  withArithmetic(call, [&](auto arithmetic) {
    using Arithmetic = decltype(arithmetic);
    const int64_t bytes = PackedOperands<Arithmetic>::bytes(layer.in.panels(), layer.out.panels());
    const PackedRoom room = PackedWeights::ofThread().roomFor({weight}, Arithmetic::kPacking, bytes);
    linearForward<Arithmetic>({x.data_ptr<float>(), x.size(0), layer, call.threads()}, y.data_ptr<float>(), room,
                              workspace.scratch());
  });
  call.give(y);
}

/** dy, x, weight, and whether x needs a gradient: those of x (or not), weight and bias. */
void linearGradient(Call& call) {
  Tensors tensors(call);
  const at::Tensor dy = tensors.next(), x = tensors.next(), weight = tensors.next();
  const bool reachesInput = call.flag();
  if (!call.hasOwnKernels()) {
    const at::Tensor output = operandOf(call, dy);
    if (reachesInput) call.give(at::mm(output, operandOf(call, weight).t()));
    call.give(at::mm(operandOf(call, x).t(), output));
    return call.give(dy.sum(0));
  }
  const Workspace workspace;
  Gradients gradients(call);
  float* const dx = reachesInput ? gradients.of(x.sizes()) : nullptr;
  float* const weightGradient = gradients.of(weight.sizes());
  float* const biasGradient = gradients.of({weight.size(1)});
  const Weight layer{weight.data_ptr<float>(), nullptr, {weight.size(0)}, {weight.size(1)}};
  withArithmetic(call, [&](auto arithmetic) {
    linearBackward<decltype(arithmetic)>({x.data_ptr<float>(), x.size(0), layer, call.threads()},
                                         dy.data_ptr<float>(), {dx, weightGradient, biasGradient},
                                         workspace.scratch());
  });
  gradients.give();
}

}  // namespace

void addLinear(Operations& operations) {
  operations.push_back({"linear", linear});
  operations.push_back({"linearGradient", linearGradient});
}

}  // namespace winnow
