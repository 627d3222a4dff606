// A gated recurrent unit over one short sequence, and linear heads of one row each
// (packages/share-and-prune/src/gru.ts, heads.ts): sums of a few thousand numbers, which cost less than a single
// operation of libtorch would for each step. On the processor, in float32, whatever the engine's device is.
#include <algorithm>
#include <cmath>
#include <vector>

#include "units.h"

namespace winnow {
namespace {

at::Tensor onCpu(const at::Tensor& tensor) { return tensor.cpu().contiguous(); }
at::Tensor emptyNumbers(at::IntArrayRef shape) { return at::empty(shape, at::kFloat); }
float* numbersOf(const at::Tensor& tensor) { return tensor.data_ptr<float>(); }
void giveOnDevice(Call& call, const at::Tensor& tensor) { call.give(tensor.to(call.device())); }

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

/** out [columns] += x [rows] × matrix [rows, columns]. */
void addProduct(const float* x, const float* matrix, int64_t rows, int64_t columns, float* out) {
  for (int64_t row = 0; row < rows; row++, matrix += columns) {
    const float factor = x[row];
#pragma omp simd
    for (int64_t column = 0; column < columns; column++) out[column] += factor * matrix[column];
  }
}

/** out [rows] += matrix [rows, columns] × x [columns]. */
void addTransposed(const float* x, const float* matrix, int64_t rows, int64_t columns, float* out) {
  for (int64_t row = 0; row < rows; row++, matrix += columns) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t column = 0; column < columns; column++) sum += matrix[column] * x[column];
    out[row] += sum;
  }
}

/** out [rows, columns] += x [rows] ⊗ y [columns]. */
void addOuter(const float* x, const float* y, int64_t rows, int64_t columns, float* out) {
  for (int64_t row = 0; row < rows; row++, out += columns) {
    const float factor = x[row];
#pragma omp simd
    for (int64_t column = 0; column < columns; column++) out[column] += factor * y[column];
  }
}

/** x [S, I], weights [I, 3·H] and [H, 3·H] with biases → states [S, H], and r, z, n, U_n h + c side by side [S, 4·H]. */
void gru(Call& call) {
  const at::Tensor x = onCpu(call.tensor()), inputWeight = onCpu(call.tensor()), inputBias = onCpu(call.tensor());
  const at::Tensor recurrentWeight = onCpu(call.tensor()), recurrentBias = onCpu(call.tensor());
  const int64_t length = x.size(0), inputs = x.size(1), hidden = recurrentWeight.size(0), gates = 3 * hidden;
  TORCH_CHECK(inputWeight.numel() == inputs * gates && recurrentWeight.numel() == hidden * gates &&
                  inputBias.numel() == gates && recurrentBias.numel() == gates,
              "expected weights of 3·", hidden, " gates, got ", inputWeight.sizes(), " and ", recurrentWeight.sizes());
  const at::Tensor states = emptyNumbers({length, hidden}), kept = emptyNumbers({length, 4 * hidden});
  const std::vector<float> start(hidden);
  const float* before = start.data();
  std::vector<float> given(gates), recurrent(gates);
  for (int64_t step = 0; step < length; step++) {
    std::copy_n(numbersOf(inputBias), gates, given.data());
    addProduct(numbersOf(x) + step * inputs, numbersOf(inputWeight), inputs, gates, given.data());
    std::copy_n(numbersOf(recurrentBias), gates, recurrent.data());
    addProduct(before, numbersOf(recurrentWeight), hidden, gates, recurrent.data());
    float* const state = numbersOf(states) + step * hidden;
    float* const keep = numbersOf(kept) + step * 4 * hidden;
    for (int64_t i = 0; i < hidden; i++) {
      const float reset = sigmoid(given[i] + recurrent[i]);
      const float update = sigmoid(given[hidden + i] + recurrent[hidden + i]);
      const float candidate = std::tanh(given[2 * hidden + i] + reset * recurrent[2 * hidden + i]);
      state[i] = candidate + update * (before[i] - candidate);
      keep[i] = reset;
      keep[hidden + i] = update;
      keep[2 * hidden + i] = candidate;
      keep[3 * hidden + i] = recurrent[2 * hidden + i];
    }
    before = state;
  }
  giveOnDevice(call, states);
  giveOnDevice(call, kept);
}

/** dy [S, H], x, recurrentWeight, and what the forward pass gave → gradients of both weights, each before its bias. */
void gruGradient(Call& call) {
  const at::Tensor dy = onCpu(call.tensor()), x = onCpu(call.tensor()), recurrentWeight = onCpu(call.tensor());
  const at::Tensor states = onCpu(call.tensor()), kept = onCpu(call.tensor());
  const int64_t length = x.size(0), inputs = x.size(1), hidden = recurrentWeight.size(0), gates = 3 * hidden;
  const auto zeros = [](at::IntArrayRef shape) { return at::zeros(shape, at::kFloat); };
  const at::Tensor ofInputWeight = zeros({inputs, gates}), ofInputBias = zeros({gates});
  const at::Tensor ofRecurrentWeight = zeros({hidden, gates}), ofRecurrentBias = zeros({gates});
  const std::vector<float> start(hidden);
  std::vector<float> later(hidden), given(gates), recurrent(gates);
  for (int64_t step = length; step-- > 0;) {
    const float* const before = step == 0 ? start.data() : numbersOf(states) + (step - 1) * hidden;
    const float* const keep = numbersOf(kept) + step * 4 * hidden;
    for (int64_t i = 0; i < hidden; i++) {
      const float reset = keep[i], update = keep[hidden + i], candidate = keep[2 * hidden + i];
      const float gradient = numbersOf(dy)[step * hidden + i] + later[i];
      const float ofCandidate = gradient * (1 - update) * (1 - candidate * candidate);
      given[i] = ofCandidate * keep[3 * hidden + i] * reset * (1 - reset);
      given[hidden + i] = gradient * (before[i] - candidate) * update * (1 - update);
      given[2 * hidden + i] = ofCandidate;
      recurrent[i] = given[i];
      recurrent[hidden + i] = given[hidden + i];
      recurrent[2 * hidden + i] = ofCandidate * reset;
      later[i] = gradient * update;
    }
    addTransposed(recurrent.data(), numbersOf(recurrentWeight), hidden, gates, later.data());
    addOuter(numbersOf(x) + step * inputs, given.data(), inputs, gates, numbersOf(ofInputWeight));
    addOuter(before, recurrent.data(), hidden, gates, numbersOf(ofRecurrentWeight));
    for (int64_t i = 0; i < gates; i++) {
      numbersOf(ofInputBias)[i] += given[i];
      numbersOf(ofRecurrentBias)[i] += recurrent[i];
    }
  }
  for (const at::Tensor& each : {ofInputWeight, ofInputBias, ofRecurrentWeight, ofRecurrentBias})
    giveOnDevice(call, each);
}

/** Columns of the weight that one row of the features is multiplied with. */
struct RowHead {
  int64_t first, size;
};

std::vector<RowHead> readHeads(Call& call, const at::Tensor& features, const at::Tensor& weight) {
  std::vector<RowHead> heads;
  int64_t first = 0;
  for (const int64_t size : call.integers()) {
    heads.push_back({first, size});
    first += size;
  }
  TORCH_CHECK(weight.dim() == 2 && features.dim() == 2 && weight.size(0) == features.size(1) &&
                  weight.size(1) == first && features.size(0) == static_cast<int64_t>(heads.size()),
              "expected a row of features for each head and a weight of ", first, " columns, got ", features.sizes(),
              " and ", weight.sizes());
  return heads;
}

/** features [S, K], weight [K, N], bias [N] → [N]. */
void heads(Call& call) {
  const at::Tensor features = onCpu(call.tensor()), weight = onCpu(call.tensor()), bias = onCpu(call.tensor());
  const std::vector<RowHead> list = readHeads(call, features, weight);
  const int64_t depth = weight.size(0), columns = weight.size(1);
  const at::Tensor y = bias.clone();
  overIndices(call, list.size(), weight.numel(), [&](int64_t row) {
    const RowHead& head = list[row];
    float* const out = numbersOf(y) + head.first;
    for (int64_t k = 0; k < depth; k++) {
      const float factor = numbersOf(features)[row * depth + k];
      const float* const from = numbersOf(weight) + k * columns + head.first;
#pragma omp simd
      for (int64_t i = 0; i < head.size; i++) out[i] += factor * from[i];
    }
  });
  giveOnDevice(call, y);
}

/** dy [N], features, weight → gradients of both. */
void headsGradient(Call& call) {
  const at::Tensor dy = onCpu(call.tensor()), features = onCpu(call.tensor()), weight = onCpu(call.tensor());
  const std::vector<RowHead> list = readHeads(call, features, weight);
  const int64_t depth = weight.size(0), columns = weight.size(1);
  const at::Tensor ofFeatures = emptyNumbers(features.sizes()), ofWeight = emptyNumbers(weight.sizes());
  overIndices(call, list.size(), weight.numel(), [&](int64_t row) {
    const RowHead& head = list[row];
    const float* const gradient = numbersOf(dy) + head.first;
    for (int64_t k = 0; k < depth; k++) {
      const float factor = numbersOf(features)[row * depth + k];
      const float* const from = numbersOf(weight) + k * columns + head.first;
      float* const into = numbersOf(ofWeight) + k * columns + head.first;
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < head.size; i++) {
        sum += from[i] * gradient[i];
        into[i] = factor * gradient[i];
      }
      numbersOf(ofFeatures)[row * depth + k] = sum;
    }
  });
  giveOnDevice(call, ofFeatures);
  giveOnDevice(call, ofWeight);
}

}  // namespace

void addRecurrent(Operations& operations) {
  operations.push_back({"gru", gru});
  operations.push_back({"gruGradient", gruGradient});
  operations.push_back({"heads", heads});
  operations.push_back({"headsGradient", headsGradient});
}

}  // namespace winnow
