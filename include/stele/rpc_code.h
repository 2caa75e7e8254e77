#pragma once

namespace stele {

/// The status codes of gRPC, as RpcError::code() and Transport::Status::code give them.
enum RpcCode : int {
    kRpcOk = 0,
    kRpcCancelled = 1,
    kRpcUnknown = 2,
    kRpcInvalidArgument = 3,
    kRpcDeadlineExceeded = 4,
    kRpcNotFound = 5,
    kRpcAlreadyExists = 6,
    kRpcPermissionDenied = 7,
    kRpcResourceExhausted = 8,
    kRpcFailedPrecondition = 9,
    kRpcAborted = 10,
    kRpcOutOfRange = 11,
    kRpcUnimplemented = 12,
    kRpcInternal = 13,
    kRpcUnavailable = 14,
    kRpcDataLoss = 15,
    kRpcUnauthenticated = 16,
};

}  // namespace stele
