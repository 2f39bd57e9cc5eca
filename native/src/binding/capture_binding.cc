// SPDX-License-Identifier: Apache-2.0
#include "capture_binding.h"

#include "../core/clock.h"
#include "convert.h"
#include "events.h"

namespace kindling {

Napi::Function CaptureBinding::Define(Napi::Env env) {
  return DefineClass(env, "Capture",
                     {InstanceAccessor<&CaptureBinding::Report>("report"),
                      InstanceMethod<&CaptureBinding::Release>("release"),
                      InstanceMethod<&CaptureBinding::DrainedUpTo>("drainedUpTo"),
                      InstanceMethod<&CaptureBinding::ReadStats>("readStats"),
                      InstanceMethod<&CaptureBinding::RingUsedBytes>("ringUsedBytes"),
                      InstanceMethod<&CaptureBinding::SetRules>("setRules"),
                      InstanceMethod<&CaptureBinding::AddProbe>("addProbe"),
                      InstanceMethod<&CaptureBinding::RemoveProbes>("removeProbes"),
                      InstanceMethod<&CaptureBinding::SetShed>("setShed"),
                      InstanceMethod<&CaptureBinding::SetMetering>("setMetering"),
                      InstanceMethod<&CaptureBinding::ReadCosts>("readCosts"),
                      InstanceMethod<&CaptureBinding::Detach>("detach"),
                      InstanceMethod<&CaptureBinding::CloseMethod>("close")});
}

CaptureBinding::CaptureBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<CaptureBinding>(info), env_(info.Env()) {
  Napi::Env env = info.Env();
  if (info.Length() < 3 || !info[0].IsObject() || !info[1].IsArray() || !info[2].IsFunction()) {
    Napi::TypeError::New(env, "Capture(options, slabs, onSlab)").ThrowAsJavaScriptException();
    return;
  }
  const auto buffers = info[1].As<Napi::Array>();
  std::vector<std::span<std::byte>> memory;
  for (uint32_t i = 0; i < buffers.Length(); i++) {
    const Napi::Value value = buffers.Get(i);
    if (!value.IsArrayBuffer() || value.As<Napi::ArrayBuffer>().ByteLength() < 8192) {
      Napi::TypeError::New(env, "slabs must be ArrayBuffers of at least 8 KiB").ThrowAsJavaScriptException();
      return;
    }
    auto buffer = value.As<Napi::ArrayBuffer>();
    memory.emplace_back(static_cast<std::byte*>(buffer.Data()), buffer.ByteLength());
    slabs_.push_back(Napi::Persistent(buffer));
  }
  if (memory.empty()) {
    Napi::TypeError::New(env, "slabs must not be empty").ThrowAsJavaScriptException();
    return;
  }
  messages_.resize(memory.size());
  signal_ = Signal::New(env, info[2].As<Napi::Function>(), "kindling-capture", 0, 1);
  // After the thread-safe function was made: hooks run last first, so the thread ends while its signal still exists.
  napi_add_env_cleanup_hook(env_, OnEnvironmentExit, this);

  Result<std::unique_ptr<Capture>> capture =
      Capture::Open(ReadCaptureOptions(info[0].As<Napi::Object>()), std::move(memory),
                    [this](uint32_t slab, uint32_t bytes) {
                      // Reader's thread. The message is free: its slab was.
                      messages_[slab] = {slab, bytes};
                      signal_.NonBlockingCall(&messages_[slab]);
                    });
  if (!capture.ok()) {
    Close();
    ToJsError(env, capture.error()).ThrowAsJavaScriptException();
    return;
  }
  capture_ = std::move(capture.value());
}

CaptureBinding::~CaptureBinding() { Close(); }

// `env` is null while the environment ends: then `message` may be gone too.
void CaptureBinding::CallOnSlab(Napi::Env env, Napi::Function on_slab, std::nullptr_t*, Message* message) {
  if (static_cast<napi_env>(env) == nullptr || message == nullptr) return;
  // The C call, because Function::Call() aborts the process when the environment is ending and can't run JavaScript any
  // more. An exception that `on_slab` throws stays pending and becomes Node's uncaught exception.
  napi_value receiver = env.Undefined();
  napi_value arguments[2] = {};
  if (napi_create_uint32(env, message->slab, &arguments[0]) != napi_ok) return;
  if (napi_create_uint32(env, message->bytes, &arguments[1]) != napi_ok) return;
  napi_call_function(env, receiver, on_slab, 2, arguments, nullptr);
}

void CaptureBinding::Close() {
  capture_.reset();
  if (!static_cast<napi_threadsafe_function>(signal_)) return;
  napi_remove_env_cleanup_hook(env_, OnEnvironmentExit, this);
  // Abort, not Release: slabs still on their way are not delivered any more.
  signal_.Abort();
  signal_ = Signal();
  slabs_.clear();
}

void CaptureBinding::OnEnvironmentExit(void* self) { static_cast<CaptureBinding*>(self)->Close(); }

bool CaptureBinding::CheckOpen(Napi::Env env) const {
  if (capture_) return true;
  Napi::Error::New(env, "The capture is closed.").ThrowAsJavaScriptException();
  return false;
}

Napi::Value CaptureBinding::Report(const Napi::CallbackInfo& info) {
  return CheckOpen(info.Env()) ? ToJs(info.Env(), capture_->report()) : info.Env().Undefined();
}

void CaptureBinding::Release(const Napi::CallbackInfo& info) {
  if (capture_ && info[0].IsNumber()) capture_->reader().Release(info[0].As<Napi::Number>().Uint32Value());
}

Napi::Value CaptureBinding::DrainedUpTo(const Napi::CallbackInfo& info) {
  const double time = capture_ ? static_cast<double>(capture_->reader().DrainedUpTo()) : 0;
  return Napi::Number::New(info.Env(), time);
}

void CaptureBinding::ReadStats(const Napi::CallbackInfo& info) {
  if (!CheckOpen(info.Env())) return;
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array ||
      info[0].As<Napi::TypedArray>().ElementLength() != STAT_COUNT) {
    Napi::TypeError::New(info.Env(), "readStats needs a Float64Array with one place per counter")
        .ThrowAsJavaScriptException();
    return;
  }
  auto array = info[0].As<Napi::Float64Array>();
  capture_->maps().ReadStats({array.Data(), array.ElementLength()});
}

Napi::Value CaptureBinding::RingUsedBytes(const Napi::CallbackInfo& info) {
  const double bytes = capture_ ? static_cast<double>(capture_->reader().RingUsedBytes()) : 0;
  return Napi::Number::New(info.Env(), bytes);
}

void CaptureBinding::SetRules(const Napi::CallbackInfo& info) {
  if (!CheckOpen(info.Env())) return;
  Result<bool> result = capture_->maps().SetRules(ReadSelectionRules(info[0]));
  if (!result.ok()) ToJsError(info.Env(), result.error()).ThrowAsJavaScriptException();
}

// addProbe(program, path, offset, cookie, pid): a handle; throws when the kernel refuses.
Napi::Value CaptureBinding::AddProbe(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!CheckOpen(env)) return env.Undefined();
  if (info.Length() < 5 || !info[0].IsString() || !info[1].IsString() || !info[2].IsNumber() ||
      !info[3].IsNumber() || !info[4].IsNumber()) {
    Napi::TypeError::New(env, "addProbe(program, path, offset, cookie, pid)").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  ProbePlace place;
  place.program = info[0].As<Napi::String>().Utf8Value();
  place.path = info[1].As<Napi::String>().Utf8Value();
  place.offset = static_cast<uint64_t>(info[2].As<Napi::Number>().Int64Value());
  place.cookie = static_cast<uint64_t>(info[3].As<Napi::Number>().Int64Value());
  place.pid = info[4].As<Napi::Number>().Int32Value();
  Result<uint32_t> handle = capture_->AddProbe(place);
  if (!handle.ok()) {
    ToJsError(env, handle.error()).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  return Napi::Number::New(env, handle.value());
}

void CaptureBinding::RemoveProbes(const Napi::CallbackInfo& info) {
  if (!capture_ || !info[0].IsArray()) return;
  const auto array = info[0].As<Napi::Array>();
  std::vector<uint32_t> handles;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value handle = array.Get(i);
    if (handle.IsNumber()) handles.push_back(handle.As<Napi::Number>().Uint32Value());
  }
  capture_->RemoveProbes(handles);
}

void CaptureBinding::SetShed(const Napi::CallbackInfo& info) {
  if (!CheckOpen(info.Env()) || !info[0].IsNumber()) return;
  const int result = capture_->maps().SetShed(info[0].As<Napi::Number>().Uint32Value());
  if (result != 0) {
    ToJsError(info.Env(), Error{-result, "writing what to leave out failed", "", ""}).ThrowAsJavaScriptException();
  }
}

// setMetering(on): 0, or the errno why the kernel does not count.
Napi::Value CaptureBinding::SetMetering(const Napi::CallbackInfo& info) {
  const int result = capture_ ? capture_->SetMetering(info[0].ToBoolean()) : 0;
  return Napi::Number::New(info.Env(), -result);
}

Napi::Value CaptureBinding::ReadCosts(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env);
  if (!capture_) return list;
  for (const ProgramCost& cost : capture_->ReadCosts()) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("topic", cost.topic);
    entry.Set("program", cost.program);
    entry.Set("runTimeNs", Napi::Number::New(env, static_cast<double>(cost.run_time_ns)));
    entry.Set("runs", Napi::Number::New(env, static_cast<double>(cost.runs)));
    list.Set(list.Length(), entry);
  }
  return list;
}

Napi::Value CaptureBinding::Detach(const Napi::CallbackInfo& info) {
  if (capture_) capture_->Detach();
  return Napi::Number::New(info.Env(), static_cast<double>(MonotonicNow()));
}

void CaptureBinding::CloseMethod(const Napi::CallbackInfo&) { Close(); }

}  // namespace kindling
