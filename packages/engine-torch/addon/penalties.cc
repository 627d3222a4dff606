// A penalty on the units of parameters (packages/core/src/operations/penalize-units.ts): weighted distances from another
// parameter's units, and weighted norms of units over several parameters. The penalty in one call; in another, what
// arrives at the parameters together with its gradient.
#include <cmath>
#include <vector>

#include "units.h"

namespace winnow {
namespace {

struct UnitDistance {
  int64_t own, lent, from;
};

struct UnitNorm {
  int64_t from;
  std::vector<int64_t> parts;
};

struct Penalty {
  std::vector<at::Tensor> gradients;
  std::vector<UnitParameter> list;
  at::Tensor weights;
  std::vector<UnitDistance> distances;
  std::vector<UnitNorm> norms;
  double epsilon;
  int64_t numbers = 0;

  const float* weightsFrom(int64_t from) const { return weights.data_ptr<float>() + from; }
  at::Tensor broadcast(const UnitParameter& of, int64_t from) const {
    return weights.narrow(0, from, of.units).view({1, of.units, 1});
  }
};

/**
 * Tensors: gradients of the penalty and of the results, in a backward call; parameters; weights. Then units and widths;
 * own, lent and first weight of each distance; first weight, number of parts and parts of each norm; ε.
 */
Penalty readPenalty(Call& call, bool isBackward) {
  std::vector<at::Tensor> tensors = call.tensors();
  const std::vector<int64_t> units = call.integers(), widths = call.integers();
  const std::vector<int64_t> distances = call.integers(), norms = call.integers();
  Penalty read;
  read.epsilon = call.number();
  const size_t count = units.size(), first = isBackward ? count + 1 : 0;
  TORCH_CHECK(widths.size() == count && tensors.size() == first + count + 1, "expected ", count,
              " parameters with widths, got ", tensors.size(), " tensors");
  read.gradients.assign(tensors.begin(), tensors.begin() + first);
  read.weights = tensors.back();
  for (size_t i = 0; i < count; i++) {
    read.list.push_back({tensors[first + i], units[i], widths[i]});
    checkUnits(read.list.back());
    read.numbers += read.list.back().tensor.numel();
  }
  const auto checkWeights = [&](int64_t parameter, int64_t from) {
    TORCH_CHECK(from >= 0 && from + read.list.at(parameter).units <= read.weights.numel(),
                "expected a weight for every unit, got ", read.weights.numel(), " and the first at ", from);
  };
  for (size_t i = 0; i + 2 < distances.size(); i += 3) {
    const UnitDistance each{distances[i], distances[i + 1], distances[i + 2]};
    TORCH_CHECK(read.list.at(each.own).tensor.sizes() == read.list.at(each.lent).tensor.sizes(),
                "expected parameters of one shape, got ", read.list.at(each.own).tensor.sizes(), " and ",
                read.list.at(each.lent).tensor.sizes());
    checkWeights(each.own, each.from);
    read.distances.push_back(each);
  }
  for (size_t i = 0; i + 1 < norms.size();) {
    const int64_t from = norms[i], parts = norms[i + 1];
    TORCH_CHECK(parts > 0 && i + 2 + parts <= norms.size(), "expected ", parts, " parts of a norm");
    UnitNorm each{from, {norms.begin() + i + 2, norms.begin() + i + 2 + parts}};
    for (const int64_t part : each.parts) {
      checkWeights(part, from);
      TORCH_CHECK(read.list[part].units == read.list[each.parts[0]].units, "expected parts of as many units");
    }
    read.norms.push_back(std::move(each));
    i += 2 + parts;
  }
  return read;
}

double distanceOf(const Penalty& of, const UnitDistance& distance) {
  const UnitParameter &own = of.list[distance.own], &lent = of.list[distance.lent];
  double total = 0;
  for (int64_t chunk = 0; chunk < own.chunks(); chunk++) {
    const float *const a = own.chunk(chunk), *const b = lent.chunk(chunk);
    const float* const weights = of.weightsFrom(distance.from);
    const int64_t size = own.chunkSize();
    float sum = 0;
    if (own.width == 1) {
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < size; i++) sum += std::fabs(a[i] - b[i]) * weights[i];
    } else if (const float weight = weights[chunk % own.units]; weight != 0) {
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < size; i++) sum += std::fabs(a[i] - b[i]);
      sum *= weight;
    }
    total += sum;
  }
  return total;
}

/** √(sum of squares + ε) of every unit over all parts. */
std::vector<float> normsOf(const Penalty& of, const UnitNorm& norm) {
  std::vector<float> squares(of.list[norm.parts[0]].units);
  for (const int64_t index : norm.parts) {
    const UnitParameter& part = of.list[index];
    for (int64_t chunk = 0; chunk < part.chunks(); chunk++) {
      const float* const x = part.chunk(chunk);
      addByUnit(part, chunk, squares.data(), [=](int64_t i) { return x[i] * x[i]; });
    }
  }
  for (float& each : squares) each = std::sqrt(each + static_cast<float>(of.epsilon));
  return squares;
}

at::Tensor normsByOperations(const Penalty& of, const UnitNorm& norm) {
  at::Tensor squares = at::zeros({of.list[norm.parts[0]].units}, of.weights.options());
  for (const int64_t part : norm.parts) squares.add_(of.list[part].broken().square().sum(at::IntArrayRef{0, 2}));
  return squares.add_(of.epsilon).sqrt_();
}

at::Tensor penaltyByOperations(const Penalty& of) {
  at::Tensor total = at::zeros({}, of.weights.options());
  for (const UnitDistance& each : of.distances) {
    const UnitParameter &own = of.list[each.own], &lent = of.list[each.lent];
    total.add_((own.broken() - lent.broken()).abs_().mul_(of.broadcast(own, each.from)).sum());
  }
  for (const UnitNorm& each : of.norms) {
    const at::Tensor norms = normsByOperations(of, each);
    total.add_(norms.mul(of.weights.narrow(0, each.from, norms.numel())).sum());
  }
  return total;
}

void penalizeUnits(Call& call) {
  Penalty of = readPenalty(call, false);
  if (call.hasOwnKernels()) {
    const auto distances = static_cast<int64_t>(of.distances.size());
    std::vector<double> terms(distances + of.norms.size());
    overIndices(call, terms.size(), of.numbers, [&](int64_t i) {
      if (i < distances) {
        terms[i] = distanceOf(of, of.distances[i]);
        return;
      }
      const UnitNorm& norm = of.norms[i - distances];
      const std::vector<float> norms = normsOf(of, norm);
      for (size_t unit = 0; unit < norms.size(); unit++) terms[i] += norms[unit] * of.weightsFrom(norm.from)[unit];
    });
    double total = 0;
    for (const double term : terms) total += term;
    call.give(at::full({}, total, call.options(at::kFloat)));
  } else {
    call.give(penaltyByOperations(of));
  }
  for (UnitParameter& each : of.list) call.give(std::move(each.tensor));
}

/** What the gradient of one parameter is made of: others that it is drawn to, and factors of its own units. */
struct Pulls {
  std::vector<std::pair<const UnitParameter*, int64_t>> towards;  // with their first weight
  std::vector<const float*> factors;                              // weight / norm of each unit
};

void addGradient(const Penalty& of, const UnitParameter& parameter, const Pulls& pulls, float scale, const float* dy,
                 float* into) {
  const int64_t size = parameter.chunkSize();
  for (int64_t chunk = 0; chunk < parameter.chunks(); chunk++, dy += size, into += size) {
    const float* const x = parameter.chunk(chunk);
    std::copy(dy, dy + size, into);
    for (const auto& [other, from] : pulls.towards) {
      const float* const y = other->chunk(chunk);
      UnitNumbers(parameter, of.weightsFrom(from), chunk).over(size, [=](int64_t i, float weight) {
        into[i] += scale * weight * static_cast<float>((x[i] > y[i]) - (x[i] < y[i]));
      });
    }
    for (const float* const factors : pulls.factors)
      UnitNumbers(parameter, factors, chunk).over(size, [=](int64_t i, float factor) {
        into[i] += scale * factor * x[i];
      });
  }
}

std::vector<at::Tensor> gradientsByOperations(const Penalty& of) {
  std::vector<at::Tensor> gradients(of.gradients.begin() + 1, of.gradients.end());
  const auto add = [&](int64_t index, const at::Tensor& gradient) {
    gradients[index] = gradients[index] + gradient.mul(of.gradients[0]).view(gradients[index].sizes());
  };
  for (const UnitDistance& each : of.distances) {
    const UnitParameter &own = of.list[each.own], &lent = of.list[each.lent];
    const at::Tensor pull = (own.broken() - lent.broken()).sign_().mul_(of.broadcast(own, each.from));
    add(each.own, pull);
    add(each.lent, pull.neg());
  }
  for (const UnitNorm& each : of.norms) {
    const at::Tensor norms = normsByOperations(of, each);
    const at::Tensor factors = of.weights.narrow(0, each.from, norms.numel()).div(norms).view({1, norms.numel(), 1});
    for (const int64_t part : each.parts) add(part, of.list[part].broken().mul(factors));
  }
  return gradients;
}

void penalizeUnitsGradient(Call& call) {
  const Penalty of = readPenalty(call, true);
  std::vector<at::Tensor> gradients;
  if (call.hasOwnKernels()) {
    std::vector<std::vector<float>> factors(of.norms.size());
    overIndices(call, of.norms.size(), of.numbers, [&](int64_t i) {
      factors[i] = normsOf(of, of.norms[i]);
      for (size_t unit = 0; unit < factors[i].size(); unit++)
        factors[i][unit] = of.weightsFrom(of.norms[i].from)[unit] / factors[i][unit];
    });
    std::vector<Pulls> pulls(of.list.size());
    for (const UnitDistance& each : of.distances) {
      pulls[each.own].towards.push_back({&of.list[each.lent], each.from});
      pulls[each.lent].towards.push_back({&of.list[each.own], each.from});
    }
    for (size_t i = 0; i < of.norms.size(); i++)
      for (const int64_t part : of.norms[i].parts) pulls[part].factors.push_back(factors[i].data());
    for (const UnitParameter& each : of.list) gradients.push_back(at::empty_like(each.tensor));
    const float scale = of.gradients[0].data_ptr<float>()[0];
    overIndices(call, of.list.size(), of.numbers, [&](int64_t i) {
      addGradient(of, of.list[i], pulls[i], scale, of.gradients[i + 1].data_ptr<float>(),
                  gradients[i].data_ptr<float>());
    });
  } else {
    gradients = gradientsByOperations(of);
  }
  for (at::Tensor& each : gradients) call.give(std::move(each));
}

}  // namespace

void addPenalties(Operations& operations) {
  operations.push_back({"penalizeUnits", penalizeUnits});
  operations.push_back({"penalizeUnitsGradient", penalizeUnitsGradient});
}

}  // namespace winnow
