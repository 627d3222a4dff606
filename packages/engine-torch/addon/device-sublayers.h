#pragma once
// The fused sub-layers of libtorch's operations: what a GPU runs, and the processor where it is asked for. Query, key and
// value are one product; what a backward pass needs again is kept as it was multiplied. On a GPU our own kernels
// (device-kernels.h) do what lies between products, where they take the widths.
#include <vector>

#include "device-attention.h"
#include "device-kernels.h"
#include "version.h"

namespace winnow {

/** What JavaScript holds is of types that it knows: other numbers cross as 32-bit integers with the same bits. */
inline at::Tensor asKept(const at::Tensor& numbers) {
  const at::Tensor flat = numbers.contiguous().view({-1});
  const bool isWhole = flat.numel() * flat.element_size() % 4 == 0;
  return (isWhole ? flat : at::constant_pad_nd(flat, {0, 1})).view(at::kInt);
}

/** One extent may be −1: as many as there are. */
inline at::Tensor fromKept(const at::Tensor& kept, at::ScalarType type, std::vector<int64_t> shape) {
  const at::Tensor flat = kept.view(type);
  int64_t numbers = 1;
  for (const int64_t extent : shape) {
    if (extent < 0) return flat.view(shape);
    numbers *= extent;
  }
  return flat.narrow(0, 0, numbers).view(shape);
}

/** Groups of entries along an axis that are given more room each, with zeros behind their own; and taken back to it. */
struct Room {
  int64_t groups, own, width;

  at::Tensor widened(const at::Tensor& x, int64_t axis) const {
    if (own == width) return x;
    const at::Tensor apart = x.unflatten(axis, {groups, own});
    auto shape = apart.sizes().vec();
    shape[axis + 1] = width;
    const at::Tensor roomy = at::zeros(shape, x.options());
    roomy.narrow(axis + 1, 0, own).copy_(apart);
    return roomy.flatten(axis, axis + 1);
  }

  at::Tensor narrowed(const at::Tensor& x, int64_t axis) const {
    if (own == width) return x;
    return x.unflatten(axis, {groups, width}).narrow(axis + 1, 0, own).flatten(axis, axis + 1);
  }
};

/** Tensor cores and flash attention take eight numbers at a time. */
inline int64_t roundedToEight(int64_t count) { return (count + 7) / 8 * 8; }

/** weight [in, out], bias [out] */
struct Layer {
  at::Tensor weight, bias;
};

inline at::Tensor floatTensor(Call& call) {
  const at::Tensor tensor = call.tensor();
  TORCH_CHECK(tensor.scalar_type() == at::kFloat, "expected float32, got ", tensor.scalar_type());
  return tensor;
}

inline Layer readLayer(Call& call) {
  const at::Tensor weight = floatTensor(call);
  return {weight, floatTensor(call)};
}

/** What multiplies the output of the last layer, dimension by dimension: layer scale [D], undefined where there is none. */
struct LastLayer {
  Layer layer;
  at::Tensor scale;

  static LastLayer read(Call& call) {
    const Layer layer = readLayer(call);
    const std::vector<at::Tensor> scale = call.tensors();
    if (scale.empty()) return {layer, {}};
    TORCH_CHECK(scale.size() == 1 && scale[0].numel() == layer.bias.numel(), "expected one tensor of ",
                layer.bias.numel(), " numbers as the layer scale");
    return {layer, scale[0]};
  }

  Layer scaled() const {
    return scale.defined() ? Layer{layer.weight.mul(scale), layer.bias.mul(scale)} : layer;
  }

  /** Gives the gradients of weight and bias, and of the scale, from those of the scaled weight and bias. */
  void giveGradients(Call& call, const at::Tensor& ofWeight, const at::Tensor& ofBias) const {
    if (!scale.defined()) {
      call.give(ofWeight);
      return call.give(ofBias);
    }
    const at::Tensor weight = ofWeight.to(at::kFloat);
    call.give(weight.mul(scale));
    call.give(ofBias.mul(scale));
    call.give(weight.mul(layer.weight).sum(0).add_(ofBias.mul(layer.bias)));
  }
};

/** x·W + b, all operands. */
inline at::Tensor productOf(const at::Tensor& x, const Layer& layer) { return at::addmm(layer.bias, x, layer.weight); }

/** The gradient of a weight, float32, of operands [N, in] and [N, out]. */
inline at::Tensor weightGradient(const Call& call, const at::Tensor& x, const at::Tensor& dy) {
#if WINNOW_TORCH_AT_LEAST(2, 8)
  if (call.wantsDeviceKernels() && call.isBf16()) return at::mm(x.t(), dy, at::kFloat);
#endif
  return at::mm(x.t(), dy);
}

/** Sums over all rows, in float32. */
inline at::Tensor sumOfRows(const at::Tensor& x) { return at::sum(x, at::IntArrayRef{0}, false, at::kFloat); }

/** Rows normalised, scaled and moved, as an operand; and what the gradient is found by. */
struct NormalizedRows {
  at::Tensor operand, mean, inverseDeviation;

  static NormalizedRows of(const Call& call, const at::Tensor& x, const Layer& norm, double epsilon) {
    if (DeviceKernels* const kernels = DeviceKernels::find(call, x.size(1))) {
      const auto found = kernels->normalize(x, norm.weight, norm.bias, epsilon);
      return {found.operand, found.mean, found.inverseDeviation};
    }
    const auto found = at::native_layer_norm(x, {x.size(1)}, norm.weight, norm.bias, epsilon);
    return {operandOf(call, std::get<0>(found)), std::get<1>(found), std::get<2>(found)};
  }
};

/** Gives the gradients of x, where dy comes past the sub-layer too, and of the norm's weight and bias. */
inline void giveNormGradients(Call& call, const at::Tensor& ofNormalized, const at::Tensor& dy, const at::Tensor& x,
                              const Layer& norm, const at::Tensor& mean, const at::Tensor& inverseDeviation) {
  if (DeviceKernels* const kernels = DeviceKernels::find(call, x.size(1))) {
    const auto found = kernels->normGradients(ofNormalized, dy, x, mean, inverseDeviation, norm.weight);
    for (const at::Tensor& each : {found.x, found.weight, found.bias}) call.give(each);
    return;
  }
  const auto found = at::native_layer_norm_backward(ofNormalized.to(at::kFloat), x, {x.size(1)}, mean,
                                                    inverseDeviation, norm.weight, norm.bias, {true, true, true});
  call.give(std::get<0>(found).add_(dy));
  call.give(std::get<1>(found));
  call.give(std::get<2>(found));
}

/** An operand with the sums of its columns, float32. */
struct SummedOperand {
  at::Tensor operand, sums;

  /** dy [N, D] float32, which ends a sub-layer of rows as long. */
  static SummedOperand of(const Call& call, const at::Tensor& dy) {
    DeviceKernels* const kernels = DeviceKernels::find(call, dy.size(1));
    if (kernels == nullptr || !DeviceKernels::takes(dy.size(1))) return {operandOf(call, dy), sumOfRows(dy)};
    const auto found = kernels->castAndSum(dy);
    return {found.operand, found.sums};
  }
};

/** Inputs x, norm, query, key, value, output, layer scale, as how many tokens each is looked at; with heads, tokens, scale, epsilon, causal behind the norm. */
class DeviceAttention {
 public:
  explicit DeviceAttention(Call& call)
      : call_(call),
        x_(floatTensor(call)),
        norm_(readLayer(call)),
        heads_(call.integer()),
        tokens_(call.integer()),
        scores_{call.number(), false, {}},
        epsilon_(call.number()) {
    scores_.isCausal = call.flag();
    const Layer query = readLayer(call), key = readLayer(call), value = readLayer(call);
    last_ = LastLayer::read(call);
    const Layer output = last_.scaled();
    const std::vector<at::Tensor> counts = call.tensors();
    TORCH_CHECK(heads_ > 0 && query.bias.numel() >= heads_ && value.bias.numel() >= heads_,
                "expected heads of at least one number");
    TORCH_CHECK(tokens_ > 0 && x_.size(0) % tokens_ == 0, "expected whole sequences of ", tokens_, " tokens, got ",
                x_.size(0), " rows");
    if (!counts.empty()) {
      TORCH_CHECK(counts.size() == 1 && counts[0].numel() == x_.size(0), "expected one tensor of ", x_.size(0),
                  " counts of tokens");
      const at::Tensor each = counts[0].view({-1, 1, 1, tokens_});
      scores_.logarithms = at::where(each.gt(0), each.log(), at::full_like(each, -1e9));
    }
    const int64_t keyDim = query.bias.numel() / heads_, valueDim = value.bias.numel() / heads_;
    width_ = roundedToEight(std::max(keyDim, valueDim));
    keys_ = {heads_, keyDim, width_};
    values_ = {heads_, valueDim, width_};
    const auto joined = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t axis) {
      return operandOf(call_, at::cat({keys_.widened(q, axis), keys_.widened(k, axis), values_.widened(v, axis)}, axis));
    };
    projections_ = {joined(query.weight, key.weight, value.weight, 1), joined(query.bias, key.bias, value.bias, 0)};
    output_ = {operandOf(call_, values_.widened(output.weight, 0)), operandOf(call_, output.bias)};
  }

  void give(bool keeps) const {
    const NormalizedRows rows = NormalizedRows::of(call_, x_, norm_, epsilon_);
    const at::Tensor projected = productOf(rows.operand, projections_);  // [N, 3·H·d]
    const Attended attended = attend(apart(projected), scores_, keeps);
    call_.give(x_.add(productOf(merged(attended.output), output_)));
    if (!keeps) return;
    // Of the output the layout stays: tokens by heads.
    for (const at::Tensor& each : {rows.operand, rows.mean, rows.inverseDeviation, projected, merged(attended.output),
                                   attended.statistics})
      call_.give(asKept(each));
  }

  void giveGradients(const at::Tensor& dy, const std::vector<at::Tensor>& kept) const {
    TORCH_CHECK(kept.size() == 6, "expected 6 tensors from the forward pass, got ", kept.size());
    const at::ScalarType type = call_.isBf16() ? at::kBFloat16 : at::kFloat;
    const int64_t rows = x_.size(0), batch = rows / tokens_;
    const at::Tensor operand = fromKept(kept[0], type, {rows, x_.size(1)});
    const at::Tensor mean = fromKept(kept[1], at::kFloat, {rows, 1});
    const at::Tensor inverseDeviation = fromKept(kept[2], at::kFloat, {rows, 1});
    const at::Tensor projected = fromKept(kept[3], type, {rows, 3 * heads_ * width_});
    const at::Tensor outputs = fromKept(kept[4], type, {rows, heads_ * width_});
    const HeadOperands operands = apart(projected);
    at::Tensor statistics = fromKept(kept[5], at::kFloat, {batch, heads_, -1});
    if (kernelFor(operands, scores_) == AttentionKernel::composed)
      statistics = statistics.view({batch, heads_, tokens_, tokens_});

    const SummedOperand ofOutput = SummedOperand::of(call_, dy);
    const HeadGradients ofHeads = gradientsOfAttend(operands, scores_,
                                                    headed(at::mm(ofOutput.operand, output_.weight.t())),
                                                    {headed(outputs), statistics});
    const SummedOperand ofProjected = joined(ofHeads);
    giveNormGradients(call_, at::mm(ofProjected.operand, projections_.weight.t()), dy, x_, norm_, mean,
                      inverseDeviation);
    const auto weights = weightGradient(call_, operand, ofProjected.operand).chunk(3, 1);
    const auto biases = ofProjected.sums.chunk(3, 0);
    for (int i = 0; i < 3; i++) {
      const Room& room = i < 2 ? keys_ : values_;
      call_.give(room.narrowed(weights[i], 1));
      call_.give(room.narrowed(biases[i], 0));
    }
    last_.giveGradients(call_, values_.narrowed(weightGradient(call_, outputs, ofOutput.operand), 0), ofOutput.sums);
  }

 private:
  /** [N, 3·H·d] → three of [B, H, T, d] */
  HeadOperands apart(const at::Tensor& projected) const {
    const at::Tensor each = projected.view({projected.size(0) / tokens_, tokens_, 3, heads_, width_});
    const auto of = [&](int64_t index) { return each.select(2, index).transpose(1, 2); };
    return {of(0), of(1), of(2)};
  }
  /** Three of [B, H, T, d] → [N, 3·H·d] */
  SummedOperand joined(const HeadGradients& of) const {
    const int64_t rows = x_.size(0), width = heads_ * width_;
    if (DeviceKernels* const kernels = DeviceKernels::find(call_, x_.size(1))) {
      const auto found = kernels->joinAndSum({merged(of.query), merged(of.key), merged(of.value)});
      return {found.operand, found.sums};
    }
    const at::Tensor side =
        at::stack({tokenwise(of.query), tokenwise(of.key), tokenwise(of.value)}, 2)  // [B, T, 3, H, d]
            .view({rows, 3 * width});
    return {side, sumOfRows(side)};
  }
  /** [N, H·d] → [B, H, T, d] */
  at::Tensor headed(const at::Tensor& x) const {
    return x.view({x.size(0) / tokens_, tokens_, heads_, width_}).transpose(1, 2);
  }
  /** [B, H, T, d] → [B, T, H, d] */
  static at::Tensor tokenwise(const at::Tensor& x) { return x.transpose(1, 2); }
  /** [B, H, T, d] → [N, H·d] */
  at::Tensor merged(const at::Tensor& x) const { return tokenwise(x).reshape({x_.size(0), heads_ * width_}); }

  Call& call_;
  at::Tensor x_;
  Layer norm_;
  int64_t heads_, tokens_;
  Scores scores_;
  double epsilon_;
  int64_t width_ = 0;
  Room keys_{}, values_{};
  /** Operands: query, key and value side by side, [D, 3·H·d]; output [H·d, D]. */
  Layer projections_, output_;
  LastLayer last_;
};

/** By the numbers that JavaScript has for them. */
enum class ActivationKind : int64_t { gelu = 0, quickGelu = 1, geluTanh = 2 };

inline ActivationKind readActivation(Call& call) {
  const int64_t kind = call.integer();
  TORCH_CHECK(kind >= 0 && kind <= 2, "expected an activation of 0 to 2, got ", kind);
  return static_cast<ActivationKind>(kind);
}

/** Inputs x, norm, expand, contract, layer scale; with epsilon behind the norm and the activation at the end. */
class DeviceFfn {
 public:
  explicit DeviceFfn(Call& call)
      : call_(call), x_(floatTensor(call)), norm_(readLayer(call)), epsilon_(call.number()) {
    const Layer expand = readLayer(call);
    last_ = LastLayer::read(call);
    const Layer contract = last_.scaled();
    activation_ = readActivation(call);
    const int64_t hidden = expand.bias.numel();
    hidden_ = {1, hidden, roundedToEight(hidden)};
    expand_ = {operandOf(call_, hidden_.widened(expand.weight, 1)), operandOf(call_, hidden_.widened(expand.bias, 0))};
    contract_ = {operandOf(call_, hidden_.widened(contract.weight, 0)), operandOf(call_, contract.bias)};
  }

  void give(bool keeps) const {
    const NormalizedRows rows = NormalizedRows::of(call_, x_, norm_, epsilon_);
    const at::Tensor before = productOf(rows.operand, expand_);  // [N, hidden]
    const at::Tensor active = activated(before);
    call_.give(x_.add(productOf(active, contract_)));
    if (!keeps) return;
    for (const at::Tensor& each : {rows.operand, rows.mean, rows.inverseDeviation, before, active})
      call_.give(asKept(each));
  }

  void giveGradients(const at::Tensor& dy, const std::vector<at::Tensor>& kept) const {
    TORCH_CHECK(kept.size() == 5, "expected 5 tensors from the forward pass, got ", kept.size());
    const at::ScalarType type = call_.isBf16() ? at::kBFloat16 : at::kFloat;
    const int64_t rows = x_.size(0);
    const at::Tensor operand = fromKept(kept[0], type, {rows, x_.size(1)});
    const at::Tensor mean = fromKept(kept[1], at::kFloat, {rows, 1});
    const at::Tensor inverseDeviation = fromKept(kept[2], at::kFloat, {rows, 1});
    const at::Tensor before = fromKept(kept[3], type, {rows, hidden_.width});
    const at::Tensor active = fromKept(kept[4], type, {rows, hidden_.width});

    const SummedOperand ofOutput = SummedOperand::of(call_, dy);
    const SummedOperand ofBefore = beforeActivation(at::mm(ofOutput.operand, contract_.weight.t()), before);
    giveNormGradients(call_, at::mm(ofBefore.operand, expand_.weight.t()), dy, x_, norm_, mean, inverseDeviation);
    call_.give(hidden_.narrowed(weightGradient(call_, operand, ofBefore.operand), 1));
    call_.give(hidden_.narrowed(ofBefore.sums, 0));
    last_.giveGradients(call_, hidden_.narrowed(weightGradient(call_, active, ofOutput.operand), 0), ofOutput.sums);
  }

 private:
  /** quick-gelu(x) = x·σ(s·x) = silu(s·x)/s. */
  static constexpr double kQuickSlope = 1.702;

  at::Tensor activated(const at::Tensor& x) const {
    if (activation_ == ActivationKind::quickGelu) return at::silu(x.mul(kQuickSlope)).div_(kQuickSlope);
    return at::gelu(x, approximation());
  }
  /** The gradient of what is activated, [N, hidden], from that of the result. */
  SummedOperand beforeActivation(const at::Tensor& dy, const at::Tensor& before) const {
    if (DeviceKernels* const kernels = DeviceKernels::find(call_, x_.size(1))) {
      const auto found = kernels->activationGradient(dy, before, static_cast<int>(activation_));
      return {found.operand, found.sums};
    }
    const at::Tensor gradient = gradientOfActivated(dy, before);
    return {gradient, sumOfRows(gradient)};
  }
  at::Tensor gradientOfActivated(const at::Tensor& dy, const at::Tensor& x) const {
    if (activation_ == ActivationKind::quickGelu) return at::silu_backward(dy, x.mul(kQuickSlope));
    return at::gelu_backward(dy, x, approximation());
  }
  const char* approximation() const { return activation_ == ActivationKind::geluTanh ? "tanh" : "none"; }

  Call& call_;
  at::Tensor x_;
  Layer norm_;
  double epsilon_;
  ActivationKind activation_ = ActivationKind::gelu;
  Room hidden_{};
  Layer expand_, contract_;  // operands
  LastLayer last_;
};

}  // namespace winnow
