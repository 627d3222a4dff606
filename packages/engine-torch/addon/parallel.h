#pragma once
// Loops over threads, and memory that each thread keeps for the next one.
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "large-pages.h"

namespace winnow {

constexpr size_t kAlignment = 64;

struct FreeAligned {
  void operator()(void* memory) const { std::free(memory); }
};
using AlignedBytes = std::unique_ptr<char, FreeAligned>;

inline AlignedBytes alignedBytes(size_t bytes) {
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  auto* const memory = static_cast<char*>(std::aligned_alloc(kAlignment, std::max(rounded, kAlignment)));
  if (memory == nullptr) throw std::bad_alloc();
  wishLargePages(memory, memory + rounded);
  return AlignedBytes(memory);
}

/** Memory handed out piece by piece, taken back all at once. It stays allocated, as much as was ever needed at once. */
class Scratch {
 public:
  /** Uninitialised, aligned to a cache line. */
  template <typename T>
  T* take(int64_t count) {
    const size_t bytes = (static_cast<size_t>(count) * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    needed_ += bytes;
    if (used_ + bytes > capacity_) {
      // What was handed out stays where it is; reset() joins the pieces.
      overflow_.push_back(alignedBytes(bytes));
      return reinterpret_cast<T*>(overflow_.back().get());
    }
    T* const taken = reinterpret_cast<T*>(memory_.get() + used_);
    used_ += bytes;
    return taken;
  }

  void reset() {
    if (needed_ > capacity_) {
      memory_.reset();
      memory_ = alignedBytes(needed_);
      capacity_ = needed_;
    }
    overflow_.clear();
    used_ = needed_ = 0;
  }

 private:
  AlignedBytes memory_;
  std::vector<AlignedBytes> overflow_;
  size_t capacity_ = 0, used_ = 0, needed_ = 0;
};

inline Scratch& threadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

/** body(index, scratch) for all indices, in equal shares; each thread has a session of the arithmetic. */
template <typename Arithmetic, typename Body>
void parallelFor(int threads, int64_t count, Body body) {
  if (count <= 0) return;
  const int team = static_cast<int>(std::min<int64_t>(threads, count));
#pragma omp parallel num_threads(team) if (team > 1)
  {
    const typename Arithmetic::Session session;
    Scratch& scratch = threadScratch();
#pragma omp for schedule(static)
    for (int64_t index = 0; index < count; index++) {
      body(index, scratch);
      scratch.reset();
    }
  }
}

}  // namespace winnow
