#pragma once
// What the calls of layers and sub-layers have in common: their memory, their weights and gradients, their arithmetic.
#include <cstdlib>
#include <cstring>

#include "call.h"
#include "panels.h"

namespace winnow {

/** Memory of the calls, one at a time on each thread of JavaScript. */
class Workspace {
 public:
  Scratch& scratch() const {
    static thread_local Scratch shared;
    return shared;
  }
  Workspace() = default;
  ~Workspace() { scratch().reset(); }
  Workspace(const Workspace&) = delete;
};

/** A weight and its bias as they follow each other in the arguments; tensors are kept alive by the caller's list. */
class Tensors {
 public:
  explicit Tensors(Call& call) : call_(call) {}

  at::Tensor next() {
    held_.push_back(call_.tensor());
    TORCH_CHECK(held_.back().scalar_type() == at::kFloat, "expected float32, got ", held_.back().scalar_type());
    return held_.back();
  }
  const float* numbers() { return next().data_ptr<float>(); }

  /** A list of no tensor, or of one [B, T] with a number for each row; null for none. */
  const float* counts(int64_t rows) {
    const std::vector<at::Tensor> list = call_.tensors();
    if (list.empty()) return nullptr;
    TORCH_CHECK(list.size() == 1 && list[0].scalar_type() == at::kFloat && list[0].numel() == rows,
                "expected one float32 tensor of ", rows, " counts of tokens");
    held_.push_back(list[0]);
    return list[0].data_ptr<float>();
  }

  /** A list of no tensor, or of one [columns]: layer scale; null for none. */
  const float* layerScale(int64_t columns) {
    const std::vector<at::Tensor> list = call_.tensors();
    if (list.empty()) return nullptr;
    TORCH_CHECK(list.size() == 1 && list[0].scalar_type() == at::kFloat && list[0].numel() == columns,
                "expected one float32 tensor of ", columns, " numbers as the layer scale");
    held_.push_back(list[0]);
    packed_.push_back(list[0]);
    return list[0].data_ptr<float>();
  }

  Weight weight(Columns in) {
    const at::Tensor weight = next();
    TORCH_CHECK(weight.dim() == 2 && weight.size(0) == in.total(), "expected a weight with ", in.total(),
                " rows, got ", weight.sizes());
    packed_.push_back(weight);
    return {weight.data_ptr<float>(), numbers(), in, {weight.size(1)}};
  }

  /** The weights, and layer scales, that have been read: what becomes operands of products. */
  const std::vector<at::Tensor>& packed() const { return packed_; }

 private:
  Call& call_;
  std::vector<at::Tensor> held_, packed_;
};

/** Where a gradient goes: a new tensor of the shape of the input. */
class Gradients {
 public:
  explicit Gradients(Call& call) : call_(call) {}
  float* of(at::IntArrayRef shape) {
    made_.push_back(at::empty(shape, at::kFloat));
    return made_.back().data_ptr<float>();
  }
  float* ofWeight(const Weight& layer) { return of({layer.in.total(), layer.out.total()}); }
  float* ofBias(const Weight& layer) { return of({layer.out.total()}); }
  /** Null where the layer has no layer scale. */
  float* ofScale(const Weight& layer) { return layer.scale == nullptr ? nullptr : of({layer.out.total()}); }
  void give() {
    for (at::Tensor& each : made_) call_.give(std::move(each));
  }

 private:
  Call& call_;
  std::vector<at::Tensor> made_;
};

/** WINNOW_TILES=off, and WINNOW_PAIRS=off, leave them unused: so tests see on one machine what others run. */
inline bool isWished(const char* variable) {
  const char* const wish = std::getenv(variable);
  return wish == nullptr || std::strcmp(wish, "off") != 0;
}

#ifdef WINNOW_TILES
inline bool usesTiles() {
  static const bool uses = isWished("WINNOW_TILES") && tilesAvailable();
  return uses;
}
#endif

#ifdef WINNOW_PAIRS
inline bool usesPairs() {
  static const bool uses = isWished("WINNOW_PAIRS") && __builtin_cpu_supports("avx512bf16");
  return uses;
}
#endif

/** Whether the processor has products of bf16, which are several times as fast as those of float32. */
inline bool hasBf16Products() {
#ifdef WINNOW_TILES
  if (usesTiles()) return true;
#endif
#ifdef WINNOW_PAIRS
  if (usesPairs()) return true;
#endif
  return false;
}

/** Where the processor multiplies no bf16, bf16 is float32 too, more precise than was asked for. */
template <typename Body>
void withArithmetic(const Call& call, Body body) {
#ifdef WINNOW_TILES
  if (usesTiles()) return call.isBf16() ? body(Tiles<1>()) : body(Tiles<3>());
#endif
#ifdef WINNOW_PAIRS
  if (call.isBf16() && usesPairs()) return body(Pairs());
#endif
  body(PlainLanes());
}

}  // namespace winnow
