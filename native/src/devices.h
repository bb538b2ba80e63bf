/** The GPUs of this machine. */
#pragma once

#include <napi.h>

#include <cstddef>
#include <string>
#include <vector>

struct Device {
  std::string name;
  /** Compute capability as 89. */
  int sm;
  size_t memoryBytes;
};

/** All GPUs, in CUDA's order. Throws a Failure `driver` or `device` if there is none that TensorRT supports. */
std::vector<Device> findDevices();

/** Makes a GPU the calling thread's. Throws a Failure `driver` or `device`. */
void useDevice(int index);

/** Native.devices(), setDevice() and memory(). */
Napi::Value devices(const Napi::CallbackInfo& info);
Napi::Value setDevice(const Napi::CallbackInfo& info);
Napi::Value memory(const Napi::CallbackInfo& info);
