#pragma once
// Compiles our CUDA sources on the machine where they run, by NVIDIA's run-time compiler, which libtorch brings along, and
// loads them into its driver. Neither needs CUDA's headers: their few functions are declared here, as NVIDIA keeps them.
#include <ATen/ATen.h>
#include <dlfcn.h>

#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace winnow {

/** The functions of NVRTC and of the driver that are called here; all return 0 when all went well. */
struct CudaFunctions {
  using Program = struct OpaqueProgram*;
  using Module = struct OpaqueModule*;
  using Function = struct OpaqueFunction*;

  int (*createProgram)(Program*, const char* source, const char* name, int headers, const char* const*, const char* const*);
  int (*compileProgram)(Program, int count, const char* const* options);
  int (*programLogSize)(Program, size_t*);
  int (*programLog)(Program, char*);
  int (*binarySize)(Program, size_t*);
  int (*binary)(Program, char*);
  int (*destroyProgram)(Program*);
  int (*loadModule)(Module*, const void* image);
  int (*functionOf)(Function*, Module, const char* name);
  int (*deviceOf)(int*);
  int (*attributeOf)(int*, int attribute, int device);
  int (*launch)(Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned sharedBytes, void* stream,
                void** arguments, void** extra);

  /** Null where this libtorch does not bring the compiler, or there is no driver. */
  static const CudaFunctions* here() {
    static const std::unique_ptr<CudaFunctions> found = find();
    return found.get();
  }

 private:
  static std::unique_ptr<CudaFunctions> find() {
    // It depends on both, so their functions are found through it.
    void* const library = dlopen("libcaffe2_nvrtc.so", RTLD_LAZY | RTLD_LOCAL);
    if (library == nullptr) return nullptr;
    auto made = std::make_unique<CudaFunctions>();
    bool hasAll = true;
    const auto bind = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      hasAll = hasAll && function != nullptr;
    };
    bind(made->createProgram, "nvrtcCreateProgram");
    bind(made->compileProgram, "nvrtcCompileProgram");
    bind(made->programLogSize, "nvrtcGetProgramLogSize");
    bind(made->programLog, "nvrtcGetProgramLog");
    bind(made->binarySize, "nvrtcGetCUBINSize");
    bind(made->binary, "nvrtcGetCUBIN");
    bind(made->destroyProgram, "nvrtcDestroyProgram");
    bind(made->loadModule, "cuModuleLoadData");
    bind(made->functionOf, "cuModuleGetFunction");
    bind(made->deviceOf, "cuCtxGetDevice");
    bind(made->attributeOf, "cuDeviceGetAttribute");
    bind(made->launch, "cuLaunchKernel");
    if (!hasAll) return nullptr;
    loadBuiltins(*made, library);
    return made;
  }

  /** The compiler asks for a library by its bare name, which lies beside it and is found only if it is loaded already. */
  static void loadBuiltins(const CudaFunctions& made, void* library) {
    int major = 0, minor = 0;
    const auto version = reinterpret_cast<int (*)(int*, int*)>(dlsym(library, "nvrtcVersion"));
    Dl_info place{};
    if (version == nullptr || version(&major, &minor) != 0) return;
    if (dladdr(reinterpret_cast<void*>(made.compileProgram), &place) == 0 || place.dli_fname == nullptr) return;
    const std::string compiler = place.dli_fname;
    const std::string folder = compiler.substr(0, compiler.rfind('/') + 1);
    const std::string name = "libnvrtc-builtins.so." + std::to_string(major) + "." + std::to_string(minor);
    dlopen((folder + name).c_str(), RTLD_LAZY | RTLD_LOCAL);
  }
};

/** One compiled source on the device that is current. */
class DeviceModule {
 public:
  /** Null where the source does not compile here, such as for a GPU that the compiler no longer knows. */
  static std::unique_ptr<DeviceModule> compiled(const char* source, std::vector<std::string> options) {
    const CudaFunctions* const cuda = CudaFunctions::here();
    if (cuda == nullptr) return nullptr;
    std::unique_ptr<DeviceModule> made(new DeviceModule(*cuda));
    const std::string architecture = std::to_string(10 * made->attribute(kMajor) + made->attribute(kMinor));
    options.push_back("--gpu-architecture=sm_" + architecture);
    options.push_back("--std=c++17");
    std::vector<const char*> texts;
    for (const std::string& each : options) texts.push_back(each.c_str());
    CudaFunctions::Program program = nullptr;
    if (cuda->createProgram(&program, source, "winnow.cu", 0, nullptr, nullptr) != 0) return nullptr;
    std::string image;
    size_t bytes = 0;
    if (cuda->compileProgram(program, static_cast<int>(texts.size()), texts.data()) != 0) {
      if (cuda->programLogSize(program, &bytes) == 0) image.resize(bytes);
      if (bytes > 0) cuda->programLog(program, &image[0]);
      TORCH_WARN("our kernels do not compile for sm_", architecture, ", libtorch's are used: ", image);
      image.clear();
    } else if (cuda->binarySize(program, &bytes) == 0) {
      image.resize(bytes);
      if (bytes > 0) cuda->binary(program, &image[0]);
    }
    cuda->destroyProgram(&program);
    if (image.empty() || cuda->loadModule(&made->module_, image.data()) != 0) return nullptr;
    return made;
  }

  int multiprocessors() const { return attribute(kMultiprocessors); }

  /** Runs a kernel behind what libtorch has asked the device for. Arguments are of exactly the types that the kernel takes. */
  template <typename... Arguments>
  void launch(const char* kernel, unsigned columns, unsigned rows, unsigned threads, Arguments... arguments) {
    CudaFunctions::Function& function = functions_[kernel];
    if (function == nullptr) {
      const int found = cuda_.functionOf(&function, module_, kernel);
      TORCH_CHECK(found == 0, "expected the kernel ", kernel, ", got error ", found, " of CUDA");
    }
    void* addresses[] = {static_cast<void*>(&arguments)...};
    const int launched =
        cuda_.launch(function, columns, rows, 1, threads, 1, 1, 0, /*stream=*/nullptr, addresses, nullptr);
    TORCH_CHECK(launched == 0, "the kernel ", kernel, " did not start: error ", launched, " of CUDA");
  }

 private:
  // As the driver numbers its attributes.
  static constexpr int kMultiprocessors = 16, kMajor = 75, kMinor = 76;

  explicit DeviceModule(const CudaFunctions& cuda) : cuda_(cuda) {}

  int attribute(int which) const {
    int device = 0, value = 0;
    TORCH_CHECK(cuda_.deviceOf(&device) == 0 && cuda_.attributeOf(&value, which, device) == 0,
                "the GPU does not say what it is");
    return value;
  }

  const CudaFunctions& cuda_;
  CudaFunctions::Module module_ = nullptr;
  std::map<std::string, CudaFunctions::Function> functions_;
};

}  // namespace winnow
