// Our CUDA kernels on the processor: a thread for each of a block's, one block after another. It is slow and it is enough to
// hold them against plain loops where there is no GPU. Compiled with the source of addon/device-source.h as kernels.inc.
#include <algorithm>
#include <barrier>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(count)
#define __shared__ static

struct Three {
  int x = 0, y = 0, z = 0;
};
thread_local Three threadIdx, blockIdx;
Three gridDim;
int threadsOfBlock = 0;
std::unique_ptr<std::barrier<>> ofBlock;
std::vector<std::unique_ptr<std::barrier<>>> ofWarp;
float passed[32][32];

void __syncthreads() { ofBlock->arrive_and_wait(); }
float __shfl_xor_sync(unsigned, float x, int distance) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  passed[warp][lane] = x;
  ofWarp[warp]->arrive_and_wait();
  const float found = passed[warp][lane ^ distance];
  ofWarp[warp]->arrive_and_wait();
  return found;
}
float __uint_as_float(unsigned bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
unsigned __float_as_uint(float x) {
  unsigned bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
float rsqrtf(float x) { return 1 / std::sqrt(x); }
float expOf(float x) { return std::exp(x); }
#define __expf expOf  // glibc declares the name

#include "kernels.inc"

void run(int columns, int rows, int threads, const std::function<void()>& kernel) {
  gridDim = {columns, rows, 1};
  for (int y = 0; y < rows; y++)
    for (int x = 0; x < columns; x++) {
      ofBlock = std::make_unique<std::barrier<>>(threads);
      ofWarp.clear();
      for (int warp = 0; warp < threads / 32; warp++) ofWarp.push_back(std::make_unique<std::barrier<>>(32));
      std::vector<std::thread> all;
      for (int thread = 0; thread < threads; thread++)
        all.emplace_back([=] {
          threadIdx = {thread, 0, 0};
          blockIdx = {x, y, 0};
          kernel();
        });
      for (auto& each : all) each.join();
    }
}

std::mt19937 generator(1);
std::vector<float> random(size_t count) {
  std::normal_distribution<float> normal;
  std::vector<float> made(count);
  for (float& each : made) each = normal(generator);
  return made;
}
std::vector<Operand> asOperands(const std::vector<float>& from) {
  std::vector<Operand> made(from.size());
  for (size_t i = 0; i < from.size(); i++) narrow(from[i], made[i]);
  return made;
}
std::vector<float> widenedAll(const std::vector<Operand>& from) {
  std::vector<float> made(from.size());
  for (size_t i = 0; i < from.size(); i++) made[i] = widened(from[i]);
  return made;
}

/** Operands are rounded to eight bits. */
constexpr double kRounding = sizeof(Operand) == 2 ? 1.0 / 256 : 2e-6;

bool isGood = true;
void expectNear(const char* what, const std::vector<float>& actual, const std::vector<double>& expected, double within) {
  double far = actual.size() == expected.size() ? 0 : INFINITY, largest = 1e-30;
  for (const double each : expected) largest = std::max(largest, std::abs(each));
  for (size_t i = 0; i < std::min(actual.size(), expected.size()); i++) {
    const double distance = std::abs(actual[i] - expected[i]) / largest;
    if (!(distance <= far)) far = distance;
  }
  const bool isNear = far <= within;
  isGood = isGood && isNear;
  std::printf("%s %s: %.2e of at most %.2e\n", isNear ? "ok" : "not ok", what, far, within);
}

std::vector<float> addedUp(const std::vector<float>& partial, int width, int first) {
  std::vector<float> sums(width, NAN);
  run((width + 31) / 32, 1, 1024, [&] {
    sumPartials(partial.data(), static_cast<int>(partial.size() / width), width, sums.data(), sums.data() + first, first);
  });
  return sums;
}

void norms() {
  const int rows = 21, blocks = 2;
  const double epsilon = 1e-5;
  const auto x = random(rows * DIM), dy = random(rows * DIM), weight = random(DIM), bias = random(DIM);
  const auto g = asOperands(random(rows * DIM));
  std::vector<Operand> y(rows * DIM);
  std::vector<float> means(rows), inverses(rows), dx(rows * DIM), partial(blocks * 2 * DIM, NAN);
  run((rows + 7) / 8, 1, 256, [&] {
    normForward(x.data(), weight.data(), bias.data(), y.data(), means.data(), inverses.data(), rows, epsilon);
  });
  run(blocks, 1, 256, [&] {
    normBackward(g.data(), dy.data(), x.data(), means.data(), inverses.data(), weight.data(), dx.data(), partial.data(),
                 rows);
  });
  std::vector<double> wantedY, wantedDx, sums(2 * DIM);
  for (int row = 0; row < rows; row++) {
    const float* const own = &x[row * DIM];
    double mean = 0, variance = 0, sum = 0, product = 0;
    for (int i = 0; i < DIM; i++) mean += own[i] / DIM;
    for (int i = 0; i < DIM; i++) variance += (own[i] - mean) * (own[i] - mean) / DIM;
    const double inverse = 1 / std::sqrt(variance + epsilon);
    const auto normal = [&](int i) { return (own[i] - mean) * inverse; };
    const auto scaled = [&](int i) { return double{widened(g[row * DIM + i])} * weight[i]; };
    for (int i = 0; i < DIM; i++) {
      wantedY.push_back(normal(i) * weight[i] + bias[i]);
      sum += scaled(i) / DIM;
      product += scaled(i) * normal(i) / DIM;
      sums[i] += widened(g[row * DIM + i]) * normal(i);
      sums[DIM + i] += widened(g[row * DIM + i]);
    }
    for (int i = 0; i < DIM; i++)
      wantedDx.push_back(dy[row * DIM + i] + inverse * (scaled(i) - sum - normal(i) * product));
  }
  expectNear("norm", widenedAll(y), wantedY, kRounding);
  expectNear("gradient of a norm", dx, wantedDx, 2e-6);
  expectNear("gradients of weight and bias", addedUp(partial, 2 * DIM, DIM), sums, 2e-6);
}

double activated(int kind, double x) {
  if (kind == 1) return x / (1 + std::exp(-1.702 * x));
  if (kind == 2) return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  return 0.5 * x * (1 + std::erf(x / std::sqrt(2)));
}

void columns() {
  const int rows = 19, width = 264, blocks = 2, across = 2, stride = 600;
  const auto x = random(rows * width);
  const auto before = asOperands(random(rows * width)), dy = asOperands(random(rows * width));
  std::vector<float> partial(blocks * width, NAN);
  std::vector<Operand> to(rows * stride), dx(rows * width);
  run(across, blocks, 256, [&] { castAndSum(x.data(), to.data(), stride, partial.data(), rows, width); });
  std::vector<double> sums(width), same;
  std::vector<float> moved;
  for (int row = 0; row < rows; row++)
    for (int i = 0; i < width; i++) {
      sums[i] += x[row * width + i];
      same.push_back(x[row * width + i]);
      moved.push_back(widened(to[row * stride + i]));
    }
  expectNear("cast", moved, same, kRounding);
  expectNear("sums of columns", addedUp(partial, width, width), sums, 2e-6);
  for (int kind = 0; kind < 3; kind++) {
    run(across, blocks, 256,
        [&] { activationBackward(dy.data(), before.data(), dx.data(), partial.data(), rows, width, kind); });
    std::vector<double> wanted, wantedSums(width);
    for (int i = 0; i < rows * width; i++) {
      const double at = widened(before[i]), step = 1e-4;
      const double slope = (activated(kind, at + step) - activated(kind, at - step)) / (2 * step);
      wanted.push_back(widened(dy[i]) * slope);
      wantedSums[i % width] += wanted.back();
    }
    expectNear("gradient of an activation", widenedAll(dx), wanted, kRounding);
    expectNear("its sums", addedUp(partial, width, width), wantedSums, 1e-5);
  }
}

int main() {
  norms();
  columns();
  return isGood ? 0 : 1;
}
