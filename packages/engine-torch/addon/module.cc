// What JavaScript sees of the addon: connect, multipliesBf16, run, upload, stage, claim, read, release, memory and giveBack.
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/Event.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <node_api.h>
#include <torch/version.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <exception>
#include <map>
#include <optional>
#include <string>

#include "arguments.h"
#include "call.h"
#include "large-pages.h"
#include "signatures.h"

namespace winnow {
namespace {

/** Of one JavaScript realm: worker threads and test files each load the addon for themselves. */
struct Realm {
  TensorTable tensors;
  double* slots = nullptr;
  size_t capacity = 0;
  Settings settings;
  napi_ref slotsReference = nullptr;
  /** Where uploads go beside what is computed: one stream, as memory that one has freed no other takes. */
  std::optional<c10::Stream> beside;
  /** Tensors that a GPU may still be reading, by handle, and when it will have. */
  std::map<int64_t, c10::Event> arriving;
  HeapInLargePages heap;
};

const Operations& allOperations() {
  static const Operations all = [] {
    Operations operations;
    addElementwise(operations);
    addReductions(operations);
    addRearranging(operations);
    addIndexing(operations);
    addFused(operations);
    addLinear(operations);
    addOptimizer(operations);
    addSublayers(operations);
    addUnits(operations);
    addMasks(operations);
    addColumns(operations);
    addSharing(operations);
    addPenalties(operations);
    addSolving(operations);
    addRecurrent(operations);
    return operations;
  }();
  return all;
}

/** Made by the set-up from signatures.json, which JavaScript reads, too. */
const char* signatureOf(const char* name) {
  for (const Signature& each : kSignatures) {
    if (std::strcmp(each.name, name) == 0) return each.kinds;
  }
  TORCH_CHECK(false, "signatures.json does not have the operation ", name);
}

/** The signatures of the operations, by position. */
const std::vector<const char*>& allSignatures() {
  static const std::vector<const char*> all = [] {
    std::vector<const char*> found;
    for (const Operation& each : allOperations()) found.push_back(signatureOf(each.name));
    return found;
  }();
  return all;
}

Realm& realmOf(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Realm*>(data);
}

struct TypedArray {
  napi_typedarray_type type;
  size_t length;
  void* data;
};

TypedArray typedArrayOf(napi_env env, napi_value value) {
  TypedArray array{};
  const napi_status status =
      napi_get_typedarray_info(env, value, &array.type, &array.length, &array.data, nullptr, nullptr);
  TORCH_CHECK(status == napi_ok, "expected a typed array");
  return array;
}

/** Runs `body(arguments)` with C++ exceptions turned into JavaScript's. */
template <size_t count, typename Body>
napi_value guarded(napi_env env, napi_callback_info info, Body body) {
  try {
    napi_value arguments[count > 0 ? count : 1];
    size_t given = count;
    napi_get_cb_info(env, info, &given, arguments, nullptr, nullptr);
    TORCH_CHECK(given >= count, "expected ", count, " arguments, got ", given);
    const c10::InferenceMode inference;
    return body(arguments);
  } catch (const c10::Error& error) {
    napi_throw_error(env, nullptr, error.what_without_backtrace());
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return nullptr;
}

int64_t integerOf(napi_env env, napi_value value) {
  int64_t number = 0;
  TORCH_CHECK(napi_get_value_int64(env, value, &number) == napi_ok, "expected a number");
  return number;
}

std::string textOf(napi_env env, napi_value value) {
  size_t length = 0;
  TORCH_CHECK(napi_get_value_string_utf8(env, value, nullptr, 0, &length) == napi_ok, "expected a text");
  std::string read(length, '\0');
  napi_get_value_string_utf8(env, value, &read[0], length + 1, nullptr);
  return read;
}

Precision precisionOf(const std::string& name) {
  TORCH_CHECK(name == "f32" || name == "bf16", "expected the precision f32 or bf16, got ", name);
  return name == "bf16" ? Precision::bf16 : Precision::f32;
}

Kernels kernelsOf(const std::string& name) {
  TORCH_CHECK(name == "own" || name == "libtorch", "expected the kernels own or libtorch, got ", name);
  return name == "own" ? Kernels::own : Kernels::libtorch;
}

/** Fails where the device is not there, before the first tensor would. */
at::Device deviceOf(const std::string& name) {
  const at::Device device(name);
  TORCH_CHECK(device.is_cpu() || device.is_cuda(), "expected the device cpu, cuda or cuda:1, got ", name);
  if (device.is_cpu()) return device;
#ifdef WINNOW_CUDA
  TORCH_CHECK(at::hasCUDA(), "no NVIDIA GPU answers here, so there is no ", name);
  const auto count = static_cast<int>(at::detail::getCUDAHooks().getNumGPUs());
  TORCH_CHECK(device.index() < count, "there is no ", name, " here, GPUs are counted from 0 and this machine has ", count);
  return device;
#else
  TORCH_CHECK(false, "its libtorch computes on the CPU only, not on ", name,
              "; where an NVIDIA GPU answers, npm run setup takes one built for CUDA");
#endif
}

/** Sums on a GPU in an order of their own, not in the one in which threads happen to finish. */
void askForTheSameBytes() {
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 2)
  at::globalContext().setDeterministicFillUninitializedMemory(false);
#endif
}

/**
 * connect(slots: Float64Array, threads, precision, device, kernels): the array through which arguments and results cross
 * from now on, and how to compute.
 */
napi_value connect(napi_env env, napi_callback_info info) {
  return guarded<5>(env, info, [&](napi_value* arguments) -> napi_value {
    Realm& realm = realmOf(env);
    const TypedArray slots = typedArrayOf(env, arguments[0]);
    TORCH_CHECK(slots.type == napi_float64_array, "expected a Float64Array");
    Settings settings;
    settings.threads = static_cast<int>(integerOf(env, arguments[1]));
    TORCH_CHECK(settings.threads > 0, "expected at least one thread, got ", settings.threads);
    settings.precision = precisionOf(textOf(env, arguments[2]));
    settings.device = deviceOf(textOf(env, arguments[3]));
    settings.kernels = kernelsOf(textOf(env, arguments[4]));
    TORCH_CHECK(settings.device == realm.settings.device || realm.tensors.count() == 0, "expected to stay on ",
                realm.settings.device, ", which holds ", realm.tensors.count(), " tensors");
    if (realm.slotsReference != nullptr) napi_delete_reference(env, realm.slotsReference);
    napi_create_reference(env, arguments[0], 1, &realm.slotsReference);
    realm.slots = static_cast<double*>(slots.data);
    realm.capacity = slots.length;
    realm.settings = settings;
    at::set_num_threads(settings.threads);
    // f32 is f32, whatever the environment says, not the shortened products that GPUs and oneDNN can take for it.
    at::globalContext().setFloat32MatmulPrecision("highest");
    if (settings.device.is_cuda()) {
      askForTheSameBytes();
      // Our kernels run on the thread's current device.
      c10::impl::VirtualGuardImpl(c10::kCUDA).setDevice(settings.device);
    }
    return nullptr;
  });
}

/** multipliesBf16(device, kernels): whether products of bf16 are faster there than those of float32. */
napi_value multipliesBf16(napi_env env, napi_callback_info info) {
  return guarded<2>(env, info, [&](napi_value* arguments) -> napi_value {
    const at::Device device = deviceOf(textOf(env, arguments[0]));
    const Kernels kernels = kernelsOf(textOf(env, arguments[1]));
    // A GPU has tensor cores for bf16 since Ampere, which is what cuDNN's convolutions ask for, too.
    const bool isFaster = device.is_cuda() ? at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8()
                                           : kernels == Kernels::own && hasBf16Products();
    napi_value made = nullptr;
    napi_get_boolean(env, isFaster, &made);
    return made;
  });
}

/** run(position of the operation): arguments out of the slots, results into them. */
napi_value run(napi_env env, napi_callback_info info) {
  return guarded<1>(env, info, [&](napi_value* arguments) -> napi_value {
    Realm& realm = realmOf(env);
    realm.heap.follow();
    const int64_t position = integerOf(env, arguments[0]);
    const Operation& operation = allOperations().at(position);
    Call call(realm.slots, realm.capacity, realm.tensors, realm.settings, allSignatures()[position]);
    operation.run(call);
    call.finish();
    return nullptr;
  });
}

/** Bytes that several threads copy faster than one. */
constexpr int64_t kBytesWorthThreads = 1 << 20;

void copyBytes(const void* from, void* to, int64_t bytes, int threads) {
  const int64_t shares = bytes < kBytesWorthThreads ? 1 : threads;
#pragma omp parallel for num_threads(static_cast<int>(shares)) if (shares > 1)
  for (int64_t share = 0; share < shares; share++) {
    const int64_t first = bytes * share / shares, last = bytes * (share + 1) / shares;
    std::memcpy(static_cast<char*>(to) + first, static_cast<const char*>(from) + first, last - first);
  }
}

/** A GPU reads one piece while the next is still being copied. */
constexpr int64_t kBytesOfPiece = 16 << 20;

/**
 * JavaScript's numbers into a tensor. To a GPU they go by way of pages that it reads by itself, so that nothing waits for
 * what it still computes; libtorch keeps such pages until they have been read.
 */
void write(const void* from, const at::Tensor& to, int threads) {
  const auto size = static_cast<int64_t>(to.element_size());
  if (to.is_cpu()) return copyBytes(from, to.data_ptr(), to.numel() * size, 1);
  const at::Tensor pinned = at::empty({to.numel()}, at::TensorOptions(to.scalar_type()).pinned_memory(true));
  const at::Tensor flat = to.view({-1});
  for (int64_t first = 0; first < to.numel(); first += kBytesOfPiece / size) {
    const int64_t count = std::min(kBytesOfPiece / size, to.numel() - first);
    const at::Tensor piece = pinned.narrow(0, first, count);
    copyBytes(static_cast<const char*>(from) + first * size, piece.data_ptr(), count * size, threads);
    flat.narrow(0, first, count).copy_(piece, /*non_blocking=*/true);
  }
}

/** The typed array as a tensor of the type and shape in the slots; the result is one tensor there. */
void uploadInto(Realm& realm, const TypedArray& values) {
  Call call(realm.slots, realm.capacity, realm.tensors, realm.settings, signatureOf("upload"));
  const auto type = call.type();
  at::Tensor tensor = at::empty(call.integers(), call.options(type));
  const bool fits = type == at::kFloat ? values.type == napi_float32_array
                    : type == at::kInt ? values.type == napi_int32_array
                                       : values.type == napi_uint8_array;
  const auto wanted = static_cast<size_t>(tensor.numel());
  TORCH_CHECK(fits && values.length == wanted, "expected ", wanted, " values of type ", type, ", got ", values.length,
              " in typed array type ", static_cast<int>(values.type));
  realm.heap.follow();
  if (wanted > 0) write(values.data, tensor, realm.settings.threads);
  call.give(std::move(tensor));
  call.finish();
}

/** upload(values: typed array) with its type and shape in the slots. */
napi_value upload(napi_env env, napi_callback_info info) {
  return guarded<1>(env, info, [&](napi_value* arguments) -> napi_value {
    uploadInto(realmOf(env), typedArrayOf(env, arguments[0]));
    return nullptr;
  });
}

/** stage(values: typed array): the same to a GPU beside what it computes. Nobody reads the result before it is claimed. */
napi_value stage(napi_env env, napi_callback_info info) {
  return guarded<1>(env, info, [&](napi_value* arguments) -> napi_value {
    Realm& realm = realmOf(env);
    const at::Device device = realm.settings.device;
    TORCH_CHECK(device.is_cuda(), "expected a GPU, got ", device);
    if (!realm.beside.has_value() || realm.beside->device() != device)
      realm.beside = c10::impl::VirtualGuardImpl(c10::kCUDA).getStreamFromGlobalPool(device, /*isHighPriority=*/false);
    const c10::StreamGuard guard(*realm.beside);
    uploadInto(realm, typedArrayOf(env, arguments[0]));
    c10::Event arrival(c10::kCUDA);
    arrival.record(*realm.beside);
    realm.arriving.insert_or_assign(static_cast<int64_t>(realm.slots[1]), std::move(arrival));
    return nullptr;
  });
}

/** claim(handle of what was staged): whatever computes from now on waits until it is there. */
napi_value claim(napi_env env, napi_callback_info info) {
  return guarded<1>(env, info, [&](napi_value* arguments) -> napi_value {
    Realm& realm = realmOf(env);
    const int64_t handle = integerOf(env, arguments[0]);
    const auto found = realm.arriving.find(handle);
    TORCH_CHECK(found != realm.arriving.end(), "expected the handle of a staged tensor, got ", handle);
    const c10::Stream current = c10::impl::VirtualGuardImpl(c10::kCUDA).getStream(realm.settings.device);
    found->second.block(current);
    realm.tensors.get(handle).record_stream(current);
    realm.arriving.erase(found);
    return nullptr;
  });
}

/** read(handle, into: typed array of the same type and size) */
napi_value read(napi_env env, napi_callback_info info) {
  return guarded<2>(env, info, [&](napi_value* arguments) -> napi_value {
    const at::Tensor& tensor = realmOf(env).tensors.get(integerOf(env, arguments[0]));
    const TypedArray into = typedArrayOf(env, arguments[1]);
    const auto count = static_cast<size_t>(tensor.numel());
    TORCH_CHECK(into.length == count, "expected room for ", count, " values, got ", into.length);
    if (count == 0) return nullptr;
    if (tensor.is_cpu()) std::memcpy(into.data, tensor.data_ptr(), count * tensor.element_size());
    else at::from_blob(into.data, tensor.sizes(), tensor.scalar_type()).copy_(tensor);
    return nullptr;
  });
}

napi_value release(napi_env env, napi_callback_info info) {
  return guarded<1>(env, info, [&](napi_value* arguments) -> napi_value {
    Realm& realm = realmOf(env);
    const int64_t handle = integerOf(env, arguments[0]);
    realm.tensors.release(handle);
    realm.arriving.erase(handle);
    return nullptr;
  });
}

/** memory(): [tensors, bytes] of this realm, written into the slots. */
napi_value memory(napi_env env, napi_callback_info info) {
  return guarded<0>(env, info, [&](napi_value*) -> napi_value {
    const Realm& realm = realmOf(env);
    TORCH_CHECK(realm.capacity >= 2, "expected a connection");
    realm.slots[0] = static_cast<double>(realm.tensors.count());
    realm.slots[1] = static_cast<double>(realm.tensors.bytes());
    return nullptr;
  });
}

/** giveBack(): hands what was freed back to the system, though it was kept for the next step (`keepFreedMemory`). */
napi_value giveBack(napi_env env, napi_callback_info info) {
  return guarded<0>(env, info, [&](napi_value*) -> napi_value {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    return nullptr;
  });
}

/**
 * A training step takes and frees the same large blocks again and again. By default glibc hands such blocks back to the
 * system, and every page of the next one has to be given anew, at up to a millisecond for a megabyte: as long as the
 * work on it. So they stay with the process, in the one heap.
 */
void keepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

napi_value text(napi_env env, const std::string& value) {
  napi_value made = nullptr;
  napi_create_string_utf8(env, value.c_str(), value.size(), &made);
  return made;
}

void set(napi_env env, napi_value object, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, object, name, function);
}

}  // namespace
}  // namespace winnow

NAPI_MODULE_INIT() {
  using namespace winnow;
  keepFreedMemory();
  const auto destroy = [](napi_env, void* data, void*) { delete static_cast<Realm*>(data); };
  napi_set_instance_data(env, new Realm, destroy, nullptr);
  set(env, exports, "connect", connect);
  set(env, exports, "multipliesBf16", multipliesBf16);
  set(env, exports, "run", run);
  set(env, exports, "upload", upload);
  set(env, exports, "stage", stage);
  set(env, exports, "claim", claim);
  set(env, exports, "read", read);
  set(env, exports, "release", release);
  set(env, exports, "memory", memory);
  set(env, exports, "giveBack", giveBack);

  const Operations& operations = allOperations();
  napi_value names = nullptr;
  napi_create_array_with_length(env, operations.size(), &names);
  for (size_t i = 0; i < operations.size(); i++) {
    napi_set_element(env, names, static_cast<uint32_t>(i), text(env, operations[i].name));
  }
  napi_set_named_property(env, exports, "operations", names);
  napi_value signatures = nullptr;
  napi_create_object(env, &signatures);
  for (const Signature& each : kSignatures) {
    napi_set_named_property(env, signatures, each.name, text(env, each.kinds));
  }
  napi_set_named_property(env, exports, "signatures", signatures);
  napi_set_named_property(env, exports, "version", text(env, TORCH_VERSION));
  return exports;
}
