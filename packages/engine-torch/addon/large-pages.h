#pragma once
// Large pages (2 MB) for the memory of tensors and of calls. A step goes through hundreds of megabytes, and a miss of the
// pages' addresses is dear, most of all in a virtual machine. Where the system gives large pages only to those who ask, this asks;
// where it gives none, nothing changes.
#include <cstddef>
#include <cstdint>

#if defined(__linux__) && defined(__GLIBC__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace winnow {

constexpr uintptr_t kLargePage = 2 << 20;

/** Of the memory from `begin` to `end`, that which consists of whole large pages. */
inline void wishLargePages([[maybe_unused]] const void* begin, [[maybe_unused]] const void* end) {
#if defined(__linux__) && defined(__GLIBC__) && defined(MADV_HUGEPAGE)
  const uintptr_t first = (reinterpret_cast<uintptr_t>(begin) + kLargePage - 1) / kLargePage * kLargePage;
  const uintptr_t last = reinterpret_cast<uintptr_t>(end) / kLargePage * kLargePage;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

/** The heap, in which tensors are. It grows in steps of many pages, most of which nobody has touched by the next call. */
class HeapInLargePages {
 public:
  /** To be called now and then: asks for what the heap has grown by. */
  void follow() {
#if defined(__linux__) && defined(__GLIBC__)
    char* const end = static_cast<char*>(sbrk(0));
    if (end == end_) return;
    if (end_ != nullptr && end > end_) wishLargePages(end_ - kLargePage, end);
    end_ = end;
#endif
  }

 private:
  char* end_ = nullptr;
};

}  // namespace winnow
