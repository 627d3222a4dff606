#pragma once
// One call from JavaScript. Arguments and results cross in an array of doubles that both sides share, so that a call
// passes one integer through N-API, whatever its arguments are.
#include <ATen/ATen.h>
#include <omp.h>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "tensors.h"

namespace winnow {

/** The types that TensorFlow.js knows, as they are numbered in src/data.ts. */
inline at::ScalarType scalarTypeOf(int64_t number) {
  switch (number) {
    case 0: return at::kFloat;
    case 1: return at::kInt;
    case 2: return at::kBool;
    default: TORCH_CHECK(false, "expected type 0 (float32), 1 (int32) or 2 (bool), got ", number);
  }
}

inline double numberOf(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return 0;
    case at::kInt: return 1;
    case at::kBool: return 2;
    default: TORCH_CHECK(false, "expected a result of float32, int32 or bool, got ", type);
  }
}

/** The operands of matrix products; their results, and all other numbers, are f32 either way. */
enum class Precision { f32, bf16 };

/** Who computes: our own kernels, of which a GPU has some and the processor all, or libtorch's alone. */
enum class Kernels { own, libtorch };

/** How operations compute, as JavaScript has asked for it in `connect`. */
struct Settings {
  int threads = 1;
  Precision precision = Precision::f32;
  at::Device device = at::kCPU;
  Kernels kernels = Kernels::own;
};

/** Work on tensors smaller than this stays on the calling thread: waking another one takes longer. */
constexpr int64_t kNumbersWorthThreads = 1 << 14;

class Call {
 public:
  /** @param signature the kinds of the arguments, as signatures.json has them. */
  Call(double* slots, size_t capacity, TensorTable& tensors, const Settings& settings, const char* signature)
      : slots_(slots), capacity_(capacity), tensors_(tensors), settings_(settings), signature_(signature), next_(signature) {
    omp_set_num_threads(1);
  }

  // How to compute.

  int threads() const { return settings_.threads; }
  Precision precision() const { return settings_.precision; }
  bool isBf16() const { return settings_.precision == Precision::bf16; }
  /** On the processor. */
  bool hasOwnKernels() const { return settings_.kernels == Kernels::own && settings_.device.is_cpu(); }
  /** On a GPU, beside libtorch's (device-kernels.h). */
  bool wantsDeviceKernels() const { return settings_.kernels == Kernels::own && settings_.device.is_cuda(); }
  at::Device device() const { return settings_.device; }
  /** Of tensors that an operation makes from nothing: every tensor lives on the engine's device. */
  at::TensorOptions options(at::ScalarType type) const { return at::TensorOptions(type).device(settings_.device); }

  // Arguments, in the order of the signature, in which the kernel's TypeScript half wrote them.

  double number() {
    expect('n');
    return take();
  }
  int64_t integer() {
    expect('n');
    return takeInteger();
  }
  bool flag() {
    expect('f');
    return take() != 0;
  }
  at::ScalarType type() {
    expect('d');
    return scalarTypeOf(takeInteger());
  }

  std::vector<int64_t> integers() {
    expect('i');
    std::vector<int64_t> list(takeInteger());
    for (auto& each : list) each = takeInteger();
    return list;
  }

  at::Tensor tensor() {
    expect('t');
    return takeTensor();
  }

  std::vector<at::Tensor> tensors() {
    expect('T');
    std::vector<at::Tensor> list(takeInteger());
    for (auto& each : list) each = takeTensor();
    return list;
  }

  /** How many groups of arguments follow. */
  int64_t groups() {
    expect('[');
    group_ = next_;
    rounds_ = takeInteger();
    if (rounds_ == 0) next_ = std::strchr(next_, ']') + 1;
    return rounds_;
  }

  // Results.

  void give(at::Tensor result) { results_.push_back(settled(std::move(result))); }

  /** Hands the results over: handle, type, rank and extents of each. */
  void finish() {
    if (*next_ == ']') repeat();
    TORCH_CHECK(*next_ == 0, "expected the arguments ", signature_, ", and not all were read");
    size_t position = 0;
    const auto put = [&](double value) {
      TORCH_CHECK(position < capacity_, "expected results that fit into ", capacity_, " numbers");
      slots_[position++] = value;
    };
    put(static_cast<double>(results_.size()));
    for (auto& result : results_) {
      const double type = numberOf(result.scalar_type());
      const auto extents = result.sizes();
      const double handle = tensors_.add(result);
      put(handle);
      put(type);
      put(static_cast<double>(extents.size()));
      for (const int64_t extent : extents) put(static_cast<double>(extent));
    }
  }

 private:
  /** Fails where an operation reads another kind of argument than its signature says. */
  void expect(char kind) {
    if (*next_ == ']') repeat();
    TORCH_CHECK(*next_ == kind, "expected the arguments ", signature_, ", got one more read as ", kind);
    next_++;
  }

  void repeat() { next_ = --rounds_ > 0 ? group_ : next_ + 1; }

  double take() {
    TORCH_CHECK(position_ < capacity_, "expected at most ", capacity_, " numbers as arguments");
    return slots_[position_++];
  }
  int64_t takeInteger() { return static_cast<int64_t>(take()); }

  /** TensorFlow.js reshapes by giving the same data another shape, which then comes along with the handle. */
  at::Tensor takeTensor() {
    const at::Tensor& found = tensors_.get(takeInteger());
    if (found.numel() >= kNumbersWorthThreads) omp_set_num_threads(settings_.threads);
    const int64_t rank = takeInteger();
    if (rank < 0) return found;
    c10::SmallVector<int64_t, 8> shape(rank);
    for (auto& extent : shape) extent = takeInteger();
    return found.view(shape);
  }

  /**
   * Tensors in the table are contiguous and of a type that TensorFlow.js knows, and none keeps a larger one alive:
   * what tf.memory() says is then what is used.
   */
  static at::Tensor settled(at::Tensor result) {
    if (result.scalar_type() == at::kLong) result = result.to(at::kInt);
    if (result.scalar_type() == at::kDouble || result.scalar_type() == at::kBFloat16) result = result.to(at::kFloat);
    if (!result.is_contiguous()) return result.contiguous();
    const size_t bytes = static_cast<size_t>(result.numel()) * result.element_size();
    return result.storage().nbytes() > bytes ? result.clone() : result;
  }

  double* slots_;
  size_t capacity_;
  TensorTable& tensors_;
  const Settings& settings_;
  const char* signature_;
  /** What comes next in the signature, and where its group begins while that is repeated. */
  const char *next_, *group_ = nullptr;
  int64_t rounds_ = 0;
  size_t position_ = 0;
  c10::SmallVector<at::Tensor, 4> results_;
};

/** An operand of a matrix product, where libtorch multiplies. */
inline at::Tensor operandOf(const Call& call, const at::Tensor& x) {
  return call.isBf16() ? x.to(at::kBFloat16) : x;
}

struct Operation {
  const char* name;
  void (*run)(Call&);
};

/** What one source file offers; JavaScript looks the position of a name up once and calls by position. */
using Operations = std::vector<Operation>;

void addElementwise(Operations& operations);
void addReductions(Operations& operations);
void addRearranging(Operations& operations);
void addIndexing(Operations& operations);
void addFused(Operations& operations);
void addLinear(Operations& operations);
void addOptimizer(Operations& operations);
void addSublayers(Operations& operations);
void addUnits(Operations& operations);
void addMasks(Operations& operations);
void addColumns(Operations& operations);
void addSharing(Operations& operations);
void addPenalties(Operations& operations);
void addSolving(Operations& operations);
void addRecurrent(Operations& operations);

}  // namespace winnow
