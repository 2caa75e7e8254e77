#pragma once

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stele/stele.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

// Two codecs, for the examples that encode payloads and for the codec server that decodes them for
// people. By convention a codec puts the whole payload into the data of a new one, which has an encoding
// of its own, and lets everything pass that has another.
namespace examples {

inline bool has_encoding(const stele::Payload& payload, std::string_view encoding) {
    const auto found = payload.metadata().find("encoding");
    return found != payload.metadata().end() && found->second == encoding;
}

/// Encrypts with AES-256-GCM: what was changed on the way is refused.
class EncryptionCodec final : public stele::PayloadCodec {
public:
    using Key = std::array<unsigned char, 32>;
    explicit EncryptionCodec(const Key& key) : key_(key) {}

    stele::Payloads encode(stele::Payloads payloads,
                           const stele::SerializationContext&) const override {
        for (stele::Payload& payload : payloads) {
            stele::Payload encrypted;
            (*encrypted.mutable_metadata())["encoding"] = kEncoding;
            encrypted.set_data(encrypt(payload.SerializeAsString()));
            payload = std::move(encrypted);
        }
        return payloads;
    }

    stele::Payloads decode(stele::Payloads payloads,
                           const stele::SerializationContext&) const override {
        for (stele::Payload& payload : payloads) {
            if (!has_encoding(payload, kEncoding)) continue;
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

/// Compresses with zlib what gets smaller by it.
class ZlibCodec final : public stele::PayloadCodec {
public:
    stele::Payloads encode(stele::Payloads payloads,
                           const stele::SerializationContext&) const override {
        for (stele::Payload& payload : payloads) {
            const std::string plain = payload.SerializeAsString();
            std::string small = compressed(plain);
            if (small.size() >= plain.size()) continue;
            stele::Payload packed;
            (*packed.mutable_metadata())["encoding"] = kEncoding;
            packed.set_data(std::move(small));
            payload = std::move(packed);
        }
        return payloads;
    }

    stele::Payloads decode(stele::Payloads payloads,
                           const stele::SerializationContext&) const override {
        for (stele::Payload& payload : payloads) {
            if (!has_encoding(payload, kEncoding)) continue;
            if (!payload.ParseFromString(inflated(std::string(payload.data()))))
                throw stele::DataConversionError("the decompressed bytes are not a payload");
        }
        return payloads;
    }

private:
    static constexpr char kEncoding[] = "binary/zlib";
    // A few bytes may claim to be gigabytes.
    static constexpr std::size_t kInflatedMax = 64 * 1024 * 1024;

    static const Bytef* bytes(const std::string& text) {
        return reinterpret_cast<const Bytef*>(text.data());
    }

    static std::string compressed(const std::string& plain) {
        uLongf size = compressBound(plain.size());
        std::string out(size, '\0');
        if (compress(reinterpret_cast<Bytef*>(out.data()), &size, bytes(plain), plain.size()) !=
            Z_OK)
            throw stele::DataConversionError("a payload cannot be compressed");
        out.resize(size);
        return out;
    }

    static std::string inflated(const std::string& small) {
        z_stream stream{};
        if (inflateInit(&stream) != Z_OK) throw stele::DataConversionError("zlib does not start");
        const std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&stream, inflateEnd);
        stream.next_in = const_cast<Bytef*>(bytes(small));
        stream.avail_in = static_cast<uInt>(small.size());
        std::string out;
        std::array<char, 64 * 1024> part;
        int status = Z_OK;
        while (status == Z_OK && out.size() <= kInflatedMax) {
            stream.next_out = reinterpret_cast<Bytef*>(part.data());
            stream.avail_out = part.size();
            status = inflate(&stream, Z_NO_FLUSH);
            out.append(part.data(), part.size() - stream.avail_out);
        }
        if (status != Z_STREAM_END)
            throw stele::DataConversionError("a payload cannot be decompressed");
        return out;
    }
};

/// Compresses, then encrypts: codecs are applied last to first on the way out.
inline stele::DataConverter secret_converter() {
    EncryptionCodec::Key key{};
    const std::string secret = "in earnest this comes from Vault";
    std::copy(secret.begin(), secret.end(), key.begin());
    stele::DataConverter converter;
    converter.codecs = {std::make_shared<EncryptionCodec>(key), std::make_shared<ZlibCodec>()};
    converter.encode_failure_attributes = true;
    return converter;
}

}  // namespace examples
