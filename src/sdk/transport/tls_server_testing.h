#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace stele::testing {

/// Certificates of a small authority of its own, made with the openssl program: nothing secret is kept
/// in the tree, and nothing in it can expire.
class Authority {
public:
    explicit Authority(const std::string& name)
        : directory_(std::filesystem::path(::testing::TempDir()) / ("authority-" + name)) {
        std::filesystem::create_directories(directory_);
        openssl("req -x509 " + new_key("ca") + " -out ca.pem -subj /CN=" + name);
    }
    ~Authority() { std::filesystem::remove_all(directory_); }
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;

    struct Pair {
        std::string certificate;
        std::string key;
    };

    std::string certificate() const { return read("ca.pem"); }

    /// A certificate for the name, signed by this authority.
    Pair issue(const std::string& name) {
        std::ofstream(directory_ / "extensions") << "subjectAltName=DNS:" << name << "\n";
        openssl("req " + new_key(name) + " -out " + name + ".csr -subj /CN=" + name);
        openssl("x509 -req -in " + name + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1" +
                " -extfile extensions -out " + name + ".pem");
        return {read(name + ".pem"), read(name + ".key")};
    }

private:
    static std::string new_key(const std::string& name) {
        return "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -keyout " + name +
               ".key";
    }
    void openssl(const std::string& arguments) const {
        const std::string command =
            "cd '" + directory_.string() + "' && openssl " + arguments + " >log 2>&1";
        if (std::system(command.c_str()) != 0)
            throw std::runtime_error("openssl " + arguments + ": " + read("log"));
    }
    std::string read(const std::string& name) const {
        std::ifstream file(directory_ / name, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }

    std::filesystem::path directory_;
};

/// Answers every call with an empty message and keeps the metadata that the last one brought.
class TlsServer final : private grpc::CallbackGenericService {
public:
    explicit TlsServer(const std::shared_ptr<grpc::ServerCredentials>& credentials) {
        grpc::ServerBuilder builder;
        builder.AddListeningPort("localhost:0", credentials, &port_);
        builder.RegisterCallbackGenericService(this);
        server_ = builder.BuildAndStart();
        if (!server_) throw std::runtime_error("the server does not start");
    }
    ~TlsServer() override { server_->Shutdown(); }

    std::string address() const { return "localhost:" + std::to_string(port_); }

    std::string metadata(const std::string& name) const {
        const std::lock_guard lock(mutex_);
        const auto found = metadata_.find(name);
        return found == metadata_.end() ? std::string() : found->second;
    }

private:
    class Reactor final : public grpc::ServerGenericBidiReactor {
    public:
        Reactor() { StartRead(&request_); }
        void OnReadDone(bool ok) override {
            if (!ok) {
                Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no request"));
                return;
            }
            const grpc::Slice nothing;
            reply_ = grpc::ByteBuffer(&nothing, 1);
            StartWriteAndFinish(&reply_, {}, grpc::Status::OK);
        }
        void OnDone() override { delete this; }

    private:
        grpc::ByteBuffer request_;
        grpc::ByteBuffer reply_;
    };

    grpc::ServerGenericBidiReactor* CreateReactor(
        grpc::GenericCallbackServerContext* context) override {
        const std::lock_guard lock(mutex_);
        metadata_.clear();
        for (const auto& [name, value] : context->client_metadata())
            metadata_[std::string(name.data(), name.size())] =
                std::string(value.data(), value.size());
        return new Reactor();
    }

    mutable std::mutex mutex_;
    std::map<std::string, std::string> metadata_;
    int port_ = 0;
    std::unique_ptr<grpc::Server> server_;
};

}  // namespace stele::testing
