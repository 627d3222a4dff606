#pragma once
// Parameters by their units (columns of matrices, entries of biases, rows of second matrices) for the operations that
// treat every unit in its own way.
#include <algorithm>

#include "call.h"

namespace winnow {

/**
 * A parameter as [rows, units, width]: what runs through unit j is [:, j, :]. In memory it is a sequence of chunks, each
 * one number for every unit (width 1) or all numbers of one unit.
 */
struct UnitParameter {
  at::Tensor tensor;
  int64_t units, width;

  int64_t rows() const { return tensor.numel() / (units * width); }
  int64_t chunkSize() const { return width == 1 ? units : width; }
  int64_t chunks() const { return tensor.numel() / chunkSize(); }
  const float* chunk(int64_t index) const { return tensor.data_ptr<float>() + index * chunkSize(); }
  at::Tensor broken(const at::Tensor& other) const { return other.view({rows(), units, width}); }
  at::Tensor broken() const { return broken(tensor); }
};

inline void checkUnits(const UnitParameter& parameter) {
  TORCH_CHECK(parameter.units > 0 && parameter.width > 0 && parameter.tensor.scalar_type() == at::kFloat &&
                  parameter.tensor.numel() % (parameter.units * parameter.width) == 0,
              "expected float32 in rows of ", parameter.units, " units of ", parameter.width, ", got ",
              parameter.tensor.sizes());
}

/** What a chunk has of numbers that each unit has one of: a number for every entry, or one for all. */
class UnitNumbers {
 public:
  UnitNumbers(const UnitParameter& parameter, const float* numbers, int64_t chunk)
      : isEach_(parameter.width == 1), numbers_(isEach_ ? numbers : numbers + chunk % parameter.units) {}

  /** body(position in the chunk, number), a loop of its own for either form. */
  template <typename Body>
  void over(int64_t size, Body body) const {
    if (isEach_) {
      const float* const numbers = numbers_;
#pragma omp simd
      for (int64_t i = 0; i < size; i++) body(i, numbers[i]);
    } else {
      const float number = *numbers_;
#pragma omp simd
      for (int64_t i = 0; i < size; i++) body(i, number);
    }
  }

 private:
  bool isEach_;
  const float* numbers_;
};

/** sums[unit] += what value(position) gives over a chunk. */
template <typename Value>
void addByUnit(const UnitParameter& parameter, int64_t chunk, float* sums, Value value) {
  const int64_t size = parameter.chunkSize();
  if (parameter.width == 1) {
#pragma omp simd
    for (int64_t i = 0; i < size; i++) sums[i] += value(i);
    return;
  }
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < size; i++) sum += value(i);
  sums[chunk % parameter.units] += sum;
}

/** body(index) for all indices; threads take the next one as they are done. */
template <typename Body>
void overIndices(const Call& call, int64_t count, int64_t numbers, Body body) {
#pragma omp parallel for schedule(dynamic) num_threads(call.threads()) if (numbers >= kNumbersWorthThreads)
  for (int64_t index = 0; index < count; index++) body(index);
}

}  // namespace winnow
