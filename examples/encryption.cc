// A codec encrypts every payload with AES-256-GCM before it leaves the process. The server stores
// what it cannot read, failure messages included.
//
//     encryption

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stele/stele.h>

#include <algorithm>
#include <array>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

class EncryptionCodec final : public stele::PayloadCodec {
public:
    using Key = std::array<unsigned char, 32>;
    explicit EncryptionCodec(const Key& key) : key_(key) {}

    // The whole payload goes into the data of a new one, which has an encoding of its own.
    stele::Payloads encode(stele::Payloads payloads) const override {
        for (stele::Payload& payload : payloads) {
            stele::Payload encrypted;
            (*encrypted.mutable_metadata())["encoding"] = kEncoding;
            encrypted.set_data(encrypt(payload.SerializeAsString()));
            payload = std::move(encrypted);
        }
        return payloads;
    }

    // What was not encrypted here passes through.
    stele::Payloads decode(stele::Payloads payloads) const override {
        for (stele::Payload& payload : payloads) {
            const auto encoding = payload.metadata().find("encoding");
            if (encoding == payload.metadata().end() || encoding->second != kEncoding) continue;
            if (!payload.ParseFromString(decrypt(std::string(payload.data()))))
                throw stele::DataConversionError("the decrypted bytes are not a payload");
        }
        return payloads;
    }

private:
    static constexpr char kEncoding[] = "binary/encrypted";
    static constexpr std::size_t kNonceBytes = 12;
    static constexpr std::size_t kTagBytes = 16;
    using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

    static unsigned char* bytes(std::string& text) {
        return reinterpret_cast<unsigned char*>(text.data());
    }
    static void require(bool ok) {
        if (!ok) throw stele::DataConversionError("a payload cannot be encrypted or decrypted");
    }

    // nonce | ciphertext | tag
    std::string encrypt(std::string plain) const {
        std::string out(kNonceBytes + plain.size() + kTagBytes, '\0');
        Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
        int written = 0;
        require(RAND_bytes(bytes(out), kNonceBytes) == 1 &&
                EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(),
                                   bytes(out)) == 1 &&
                EVP_EncryptUpdate(context.get(), bytes(out) + kNonceBytes, &written, bytes(plain),
                                  static_cast<int>(plain.size())) == 1 &&
                EVP_EncryptFinal_ex(context.get(), bytes(out) + kNonceBytes + written, &written) ==
                    1 &&
                EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                                    bytes(out) + kNonceBytes + plain.size()) == 1);
        return out;
    }

    std::string decrypt(std::string sealed) const {
        require(sealed.size() >= kNonceBytes + kTagBytes);
        std::string plain(sealed.size() - kNonceBytes - kTagBytes, '\0');
        Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
        int written = 0;
        require(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(),
                                   bytes(sealed)) == 1 &&
                EVP_DecryptUpdate(context.get(), bytes(plain), &written,
                                  bytes(sealed) + kNonceBytes,
                                  static_cast<int>(plain.size())) == 1 &&
                EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes,
                                    bytes(sealed) + kNonceBytes + plain.size()) == 1 &&
                EVP_DecryptFinal_ex(context.get(), bytes(plain) + written, &written) == 1);
        return plain;
    }

    Key key_;
};

std::string look_up(std::string patient) { return patient + ": in good health"; }

wf::task<std::string> report(std::string patient) {
    co_return co_await wf::activity<look_up>(patient, {.start_to_close = 10s});
}

int main(int argc, char** argv) {
    return examples::run([&] {
        EncryptionCodec::Key key{};
        const std::string secret = "in earnest this comes from Vault";
        std::copy(secret.begin(), secret.end(), key.begin());
        stele::ClientOptions options{.address = examples::address(argc, argv)};
        options.data_converter.codecs.push_back(std::make_shared<EncryptionCodec>(key));
        options.data_converter.encode_failure_attributes = true;
        auto client = stele::Client::connect(options);

        stele::Worker worker(client, "encryption");
        worker.register_workflow<report>().register_activity<look_up>();
        worker.start();
        auto handle = client.start<report>({.task_queue = "encryption"}, "Mr. X");
        std::cout << "with the key:    " << handle.result() << "\n";

        auto outsider = stele::Client::connect({.address = examples::address(argc, argv)});
        const auto payload = outsider.handle(handle.workflow_id()).result_payloads().at(0);
        std::cout << "without the key: " << payload.data().size() << " bytes of "
                  << payload.metadata().at("encoding") << std::endl;
    });
}
