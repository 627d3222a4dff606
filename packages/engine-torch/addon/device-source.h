#pragma once
// Our kernels for NVIDIA GPUs, in CUDA C++: compiled on the machine where they run, for its GPU and for one row length
// (device-compiler.h). Each reads and writes every number once. Sums over rows are partial ones of a fixed number of blocks,
// added in a fixed order, so that the same numbers come out each time.
//
// DIM is the length of the rows that are normalised; operands of matrix products are bf16 where BF16 is 1, else float.
namespace winnow {

constexpr const char* kDeviceSource = R"cuda(
typedef long long Index;

#if BF16
typedef unsigned short Operand;
#else
typedef float Operand;
#endif

__device__ __forceinline__ float widened(float x) { return x; }
__device__ __forceinline__ float widened(unsigned short x) { return __uint_as_float((unsigned)x << 16); }

__device__ __forceinline__ void narrow(float x, float& to) { to = x; }
/** To the nearest bf16, ties to even; what is no number stays none. */
__device__ __forceinline__ void narrow(float x, unsigned short& to) {
  unsigned bits = __float_as_uint(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) to = 0x7fffu;
  else to = (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

template <typename Number, int count>
struct alignas(sizeof(Number) * count) Pack {
  Number at[count];
};

template <int count, typename Number>
__device__ __forceinline__ void load(const Number* from, float* to) {
  const Pack<Number, count> pack = *reinterpret_cast<const Pack<Number, count>*>(from);
#pragma unroll
  for (int i = 0; i < count; i++) to[i] = widened(pack.at[i]);
}

template <int count, typename Number>
__device__ __forceinline__ void store(const float* from, Number* to) {
  Pack<Number, count> pack;
#pragma unroll
  for (int i = 0; i < count; i++) narrow(from[i], pack.at[i]);
  *reinterpret_cast<Pack<Number, count>*>(to) = pack;
}

__device__ __forceinline__ float sumOfWarp(float x) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) x += __shfl_xor_sync(0xffffffffu, x, distance);
  return x;
}

// Blocks of eight warps. A row that is normalised is held by one warp.
#define WARPS 8
#if DIM % 4 == 0
#define VECTOR 4
#else
#define VECTOR 1
#endif
#define STEPS ((DIM + 32 * VECTOR - 1) / (32 * VECTOR))
#define HELD (STEPS * VECTOR)

__device__ __forceinline__ int columnOf(int step) { return (step * 32 + (int)(threadIdx.x % 32)) * VECTOR; }

template <typename Number>
__device__ __forceinline__ void loadRow(const Number* row, float* held) {
#pragma unroll
  for (int step = 0; step < STEPS; step++) {
    const int column = columnOf(step);
    if (column < DIM) load<VECTOR>(row + column, held + step * VECTOR);
    else
#pragma unroll
      for (int i = 0; i < VECTOR; i++) held[step * VECTOR + i] = 0;
  }
}

template <typename Number>
__device__ __forceinline__ void storeRow(const float* held, Number* row) {
#pragma unroll
  for (int step = 0; step < STEPS; step++) {
    const int column = columnOf(step);
    if (column < DIM) store<VECTOR>(held + step * VECTOR, row + column);
  }
}

/** x [rows, DIM] → normalised, scaled and moved, as an operand; mean and 1/√(variance + ε) of each row. */
extern "C" __global__ void __launch_bounds__(32 * WARPS)
normForward(const float* x, const float* weight, const float* bias, Operand* y, float* means, float* inverseDeviations,
            Index rows, float epsilon) {
  const Index row = (Index)blockIdx.x * WARPS + threadIdx.x / 32;
  if (row >= rows) return;
  float held[HELD], scale[HELD], shift[HELD];
  loadRow(x + row * DIM, held);
  loadRow(weight, scale);
  loadRow(bias, shift);
  float sum = 0;
#pragma unroll
  for (int i = 0; i < HELD; i++) sum += held[i];
  const float mean = sumOfWarp(sum) / DIM;
  float squares = 0;
#pragma unroll
  for (int step = 0; step < STEPS; step++) {
    const bool exists = columnOf(step) < DIM;
#pragma unroll
    for (int i = step * VECTOR; i < (step + 1) * VECTOR; i++) {
      held[i] = exists ? held[i] - mean : 0;
      squares += held[i] * held[i];
    }
  }
  const float inverseDeviation = rsqrtf(sumOfWarp(squares) / DIM + epsilon);
#pragma unroll
  for (int i = 0; i < HELD; i++) held[i] = held[i] * inverseDeviation * scale[i] + shift[i];
  storeRow(held, y + row * DIM);
  if (threadIdx.x % 32 == 0) {
    means[row] = mean;
    inverseDeviations[row] = inverseDeviation;
  }
}

/** Writes what the warps of a block have summed, column by column, to `total` [DIM]. */
__device__ __forceinline__ void storeSumOfBlock(const float* held, float* total) {
  __shared__ float sums[WARPS][HELD * 32];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < HELD; i++) sums[threadIdx.x / 32][columnOf(i / VECTOR) + i % VECTOR] = held[i];
  __syncthreads();
  for (int column = threadIdx.x; column < DIM; column += 32 * WARPS) {
    float sum = 0;
#pragma unroll
    for (int warp = 0; warp < WARPS; warp++) sum += sums[warp][column];
    total[column] = sum;
  }
}

/**
 * Gradients through a norm: g [rows, DIM] of its result, dy [rows, DIM] that goes past it → dx [rows, DIM], and for every block
 * its part of the gradients of weight and bias, partial [blocks, 2, DIM].
 */
extern "C" __global__ void __launch_bounds__(32 * WARPS)
normBackward(const Operand* g, const float* dy, const float* x, const float* means, const float* inverseDeviations,
             const float* weight, float* dx, float* partial, Index rows) {
  float scale[HELD], ofWeight[HELD], ofBias[HELD];
  loadRow(weight, scale);
#pragma unroll
  for (int i = 0; i < HELD; i++) ofWeight[i] = ofBias[i] = 0;
  for (Index row = (Index)blockIdx.x * WARPS + threadIdx.x / 32; row < rows; row += (Index)gridDim.x * WARPS) {
    float gradient[HELD], normal[HELD], past[HELD];
    loadRow(g + row * DIM, gradient);
    loadRow(x + row * DIM, normal);
    loadRow(dy + row * DIM, past);
    const float mean = means[row], inverseDeviation = inverseDeviations[row];
    float sum = 0, product = 0;
#pragma unroll
    for (int i = 0; i < HELD; i++) {
      normal[i] = (normal[i] - mean) * inverseDeviation;
      ofWeight[i] += gradient[i] * normal[i];
      ofBias[i] += gradient[i];
      gradient[i] *= scale[i];
      sum += gradient[i];
      product += gradient[i] * normal[i];
    }
    sum = sumOfWarp(sum) / DIM;
    product = sumOfWarp(product) / DIM;
#pragma unroll
    for (int i = 0; i < HELD; i++)
      past[i] += inverseDeviation * (gradient[i] - sum - normal[i] * product);
    storeRow(past, dx + row * DIM);
  }
  storeSumOfBlock(ofWeight, partial + (Index)blockIdx.x * 2 * DIM);
  storeSumOfBlock(ofBias, partial + (Index)blockIdx.x * 2 * DIM + DIM);
}

/** partial [parts, width] → sums of its columns, the first ones and those from `first` on apart. */
extern "C" __global__ void __launch_bounds__(1024)
sumPartials(const float* partial, int parts, int width, float* before, float* after, int first) {
  __shared__ float sums[32][33];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int column = blockIdx.x * 32 + lane;
  float sum = 0;
  if (column < width)
    for (int part = warp; part < parts; part += 32) sum += partial[(Index)part * width + column];
  sums[warp][lane] = sum;
  __syncthreads();
  if (warp != 0 || column >= width) return;
  sum = 0;
#pragma unroll
  for (int each = 0; each < 32; each++) sum += sums[each][lane];
  if (column < first) before[column] = sum;
  else after[column - first] = sum;
}

// Kernels over columns in eights: a warp takes 256 columns of a row.
#define EIGHT 8

/** Each thread's sums of its eight columns over the rows of its block → partial [gridDim.y, width]. */
__device__ __forceinline__ void storeColumnSums(const float* held, float* partial, int width) {
  __shared__ float sums[WARPS][32 * EIGHT + 1];
#pragma unroll
  for (int i = 0; i < EIGHT; i++) sums[threadIdx.x / 32][threadIdx.x % 32 * EIGHT + i] = held[i];
  __syncthreads();
  const int column = blockIdx.x * 32 * EIGHT + threadIdx.x;
  if (column >= width) return;
  float sum = 0;
#pragma unroll
  for (int warp = 0; warp < WARPS; warp++) sum += sums[warp][threadIdx.x];
  partial[(Index)blockIdx.y * width + column] = sum;
}

template <typename From>
__device__ __forceinline__ void moveAndSum(const From* from, Operand* to, Index toStride, float* partial, Index rows,
                                           int width) {
  const int column = (blockIdx.x * 32 + threadIdx.x % 32) * EIGHT;
  float total[EIGHT] = {};
  if (column < width)
    for (Index row = (Index)blockIdx.y * WARPS + threadIdx.x / 32; row < rows; row += (Index)gridDim.y * WARPS) {
      float held[EIGHT];
      load<EIGHT>(from + row * width + column, held);
      if (to != nullptr) store<EIGHT>(held, to + row * toStride + column);
#pragma unroll
      for (int i = 0; i < EIGHT; i++) total[i] += held[i];
    }
  storeColumnSums(total, partial, width);
}

/** from [rows, width] → the same as an operand, where there is room for it, and sums of its columns. */
extern "C" __global__ void __launch_bounds__(32 * WARPS)
castAndSum(const float* from, Operand* to, Index toStride, float* partial, Index rows, int width) {
  moveAndSum(from, to, toStride, partial, rows, width);
}

/** The same of an operand. */
extern "C" __global__ void __launch_bounds__(32 * WARPS)
copyAndSum(const Operand* from, Operand* to, Index toStride, float* partial, Index rows, int width) {
  moveAndSum(from, to, toStride, partial, rows, width);
}

/** The derivative of an activation: 0 GELU, 1 quick GELU, 2 GELU by tanh. */
__device__ __forceinline__ float slopeOf(int kind, float x) {
  if (kind == 1) {
    const float s = 1 / (1 + __expf(-1.702f * x));
    return s * (1 + 1.702f * x * (1 - s));
  }
  if (kind == 2) {
    const float root = 0.7978845608f, cubic = 0.044715f;
    const float t = tanhf(root * (x + cubic * x * x * x));
    return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * root * (1 + 3 * cubic * x * x);
  }
  return 0.5f * (1 + erff(x * 0.7071067812f)) + x * 0.3989422804f * __expf(-0.5f * x * x);
}

/** dy and what was activated, [rows, width] → its gradient, and sums of that gradient's columns. */
extern "C" __global__ void __launch_bounds__(32 * WARPS)
activationBackward(const Operand* dy, const Operand* before, Operand* dx, float* partial, Index rows, int width,
                   int kind) {
  const int column = (blockIdx.x * 32 + threadIdx.x % 32) * EIGHT;
  float total[EIGHT] = {};
  if (column < width)
    for (Index row = (Index)blockIdx.y * WARPS + threadIdx.x / 32; row < rows; row += (Index)gridDim.y * WARPS) {
      float held[EIGHT], x[EIGHT];
      load<EIGHT>(dy + row * width + column, held);
      load<EIGHT>(before + row * width + column, x);
#pragma unroll
      for (int i = 0; i < EIGHT; i++) {
        held[i] *= slopeOf(kind, x[i]);
        total[i] += held[i];
      }
      store<EIGHT>(held, dx + row * width + column);
    }
  storeColumnSums(total, partial, width);
}
)cuda";

}  // namespace winnow
