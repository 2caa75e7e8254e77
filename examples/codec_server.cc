// A codec server: the web page and the command line send it payloads that they cannot read and show
// what comes back. Whoever may ask it may read everything, so it belongs behind the same door as the
// data, with a token.
//
//     codec_server [--port 8081] [--origin http://127.0.0.1:8233] [--token SECRET]
//
//     temporal workflow show -w ID --codec-endpoint http://127.0.0.1:8081
//
// POST .../encode and .../decode take temporal.api.common.v1.Payloads as JSON and give as many back.

#include <google/protobuf/util/json_util.h>
#include <httplib.h>
#include <stele/stele.h>

#include "codecs.h"
#include "common.h"

namespace {

using PayloadsMessage = temporal::api::common::v1::Payloads;

PayloadsMessage parse(const std::string& json) {
    PayloadsMessage message;
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = true;
    const auto status = google::protobuf::util::JsonStringToMessage(json, &message, options);
    if (!status.ok())
        throw stele::DataConversionError("the body is not Payloads in JSON: " + status.ToString());
    return message;
}

std::string print(const stele::Payloads& payloads) {
    PayloadsMessage message;
    for (const stele::Payload& payload : payloads) *message.add_payloads() = payload;
    std::string json;
    const auto status = google::protobuf::util::MessageToJsonString(message, &json);
    if (!status.ok()) throw stele::DataConversionError(status.ToString());
    return json;
}

class CodecServer {
public:
    CodecServer(stele::DataConverter converter, std::string origin, std::string token)
        : converter_(std::move(converter)), origin_(std::move(origin)), token_(std::move(token)) {
        server_.set_payload_max_length(64 * 1024 * 1024);
        server_.set_pre_routing_handler([this](const auto& request, auto& response) {
            allow_origin(request, response);
            return httplib::Server::HandlerResponse::Unhandled;
        });
        // A browser asks first whether the page may call at all.
        server_.Options(".*", [](const auto&, auto& response) { response.status = 204; });
        // Only the end of the path counts: what is before it may name a namespace.
        server_.Post("(?:/.*)?/encode", [this](const auto& request, auto& response) {
            answer(request, response, [this](auto payloads, const auto& context) {
                for (auto codec = converter_.codecs.rbegin(); codec != converter_.codecs.rend();
                     ++codec)
                    payloads = (*codec)->encode(std::move(payloads), context);
                return payloads;
            });
        });
        server_.Post("(?:/.*)?/decode", [this](const auto& request, auto& response) {
            answer(request, response, [this](auto payloads, const auto& context) {
                for (const auto& codec : converter_.codecs)
                    payloads = codec->decode(std::move(payloads), context);
                return payloads;
            });
        });
    }

    void run(int port) {
        if (!server_.bind_to_port("127.0.0.1", port))
            throw std::runtime_error("cannot listen on port " + std::to_string(port));
        std::cout << "codec server on http://127.0.0.1:" << port << std::endl;
        server_.listen_after_bind();
    }

private:
    void allow_origin(const httplib::Request& request, httplib::Response& response) const {
        if (origin_.empty() || request.get_header_value("Origin") != origin_) return;
        response.set_header("Access-Control-Allow-Origin", origin_);
        response.set_header("Vary", "Origin");
        response.set_header("Access-Control-Allow-Credentials", "true");
        response.set_header("Access-Control-Allow-Methods", "POST, OPTIONS");
        response.set_header("Access-Control-Allow-Headers",
                            "Authorization, Authorization-Extras, Content-Type, X-Namespace");
    }

    template <class Transform>
    void answer(const httplib::Request& request, httplib::Response& response,
                Transform transform) const {
        if (!token_.empty() && request.get_header_value("Authorization") != "Bearer " + token_) {
            response.status = 401;
            response.set_content("the token is missing or wrong", "text/plain");
            return;
        }
        try {
            const PayloadsMessage message = parse(request.body);
            const std::string name = request.get_header_value("X-Namespace");
            const stele::SerializationContext context{.namespace_name = name};
            response.set_content(print(transform(stele::Payloads(message.payloads().begin(),
                                                                 message.payloads().end()),
                                                 context)),
                                 "application/json");
        } catch (const std::exception& error) {
            response.status = 400;
            response.set_content(error.what(), "text/plain");
        }
    }

    stele::DataConverter converter_;
    std::string origin_;
    std::string token_;
    httplib::Server server_;
};

}  // namespace

int main(int argc, char** argv) {
    return examples::run([&] {
        CodecServer server(examples::secret_converter(),
                           examples::flag(argc, argv, "--origin", "http://127.0.0.1:8233"),
                           examples::flag(argc, argv, "--token", ""));
        server.run(std::stoi(examples::flag(argc, argv, "--port", "8081")));
    });
}
