#include "frontend/services.h"
#include "frontend/validation.h"
#include "temporal/api/rules/v1/message.pb.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

// Workflow rules: kept with their namespace, obeyed by the core.
namespace stele::frontend {
namespace {

using api::rules::v1::WorkflowRule;

absl::Status check_enabled(const AuthorizedNamespace& space, const char* method) {
    if (space->limits.workflow_rules) return absl::OkStatus();
    return unimplemented(fmt::format("method {} not supported", method));
}

absl::Status check_id(const std::string& id, const history::Limits& limits) {
    if (id.empty()) return invalid_argument("Workflow Rule ID is not set.");
    if (id.size() > limits.id_length) {
        return invalid_argument("Workflow Rule Id length exceeds limit.");
    }
    return absl::OkStatus();
}

absl::Status no_such_rule() {
    return invalid_argument("Workflow Rule with this ID not Found.");
}

using Rules = std::vector<WorkflowRule>;

Rules::iterator find(Rules& rules, const std::string& id) {
    return std::find_if(rules.begin(), rules.end(),
                        [&](const WorkflowRule& rule) { return rule.spec().id() == id; });
}

Rules rules_of(const storage::NamespaceRow& row) {
    Rules rules(static_cast<std::size_t>(row.workflow_rules_size()));
    for (std::size_t i = 0; i < rules.size(); ++i) {
        rules[i].ParseFromString(row.workflow_rules(static_cast<int>(i)));
    }
    return rules;
}

void set_rules(storage::NamespaceRow& row, const Rules& rules) {
    row.clear_workflow_rules();
    for (const WorkflowRule& rule : rules) row.add_workflow_rules(rule.SerializeAsString());
}

/// Makes room for one more: the rule that expired, or will expire, first.
void drop_first_to_expire(Rules& rules) {
    const auto first = std::min_element(
        rules.begin(), rules.end(), [](const WorkflowRule& a, const WorkflowRule& b) {
            const auto expiry = [](const WorkflowRule& rule) {
                return rule.spec().has_expiration_time() ? from_proto(rule.spec().expiration_time())
                                                         : kNever;
            };
            return expiry(a) < expiry(b);
        });
    if (first != rules.end() && first->spec().has_expiration_time()) rules.erase(first);
}

absl::Status add_rule(storage::NamespaceRow& row, const WorkflowRule& rule, std::size_t limit) {
    Rules rules = rules_of(row);
    if (rules.size() >= limit) drop_first_to_expire(rules);
    if (rules.size() >= limit) {
        return invalid_argument(fmt::format("Workflow Rule limit exceeded. Max: {}", limit));
    }
    if (find(rules, rule.spec().id()) != rules.end()) {
        return invalid_argument("Workflow Rule with this ID already exists.");
    }
    rules.push_back(rule);
    set_rules(row, rules);
    return absl::OkStatus();
}

absl::Status remove_rule(storage::NamespaceRow& row, const std::string& id) {
    Rules rules = rules_of(row);
    const auto found = find(rules, id);
    if (found == rules.end()) return no_such_rule();
    rules.erase(found);
    set_rules(row, rules);
    return absl::OkStatus();
}

void add_create(MethodTable& table, Services& services) {
    using Request = service::CreateWorkflowRuleRequest;
    using Response = service::CreateWorkflowRuleResponse;
    table.add_namespaced<Request, Response>(
        "CreateWorkflowRule", [&services](RequestContext context, AuthorizedNamespace space,
                                          Request request, Reply<Response> reply) {
            absl::Status status = check_enabled(space, "CreateWorkflowRule");
            if (status.ok() && !request.has_spec()) {
                status = invalid_argument("Rule Specification is not set.");
            }
            if (status.ok()) status = check_id(request.spec().id(), space->limits);
            if (!status.ok()) return reply(std::move(status));
            WorkflowRule rule;
            *rule.mutable_spec() = request.spec();
            *rule.mutable_create_time() = to_proto(context.now);
            rule.set_created_by_identity(request.identity());
            rule.set_description(request.description());
            services.namespaces.update(
                space->name,
                [rule, limit = space->limits.workflow_rules_count](storage::NamespaceRow& row) {
                    return add_rule(row, rule, limit);
                },
                [rule, reply = std::move(reply)](absl::StatusOr<storage::NamespaceRow> row) mutable {
                    if (!row.ok()) return reply(std::move(row).status());
                    Response response;
                    *response.mutable_rule() = std::move(rule);
                    reply(std::move(response));
                });
        });
}

void add_describe(MethodTable& table) {
    using Request = service::DescribeWorkflowRuleRequest;
    using Response = service::DescribeWorkflowRuleResponse;
    table.add_namespaced<Request, Response>(
        "DescribeWorkflowRule",
        [](RequestContext, AuthorizedNamespace space, Request request, Reply<Response> reply) {
            absl::Status status = check_enabled(space, "DescribeWorkflowRule");
            if (status.ok()) status = check_id(request.rule_id(), space->limits);
            if (!status.ok()) return reply(std::move(status));
            Rules rules = space->rules;
            const auto found = find(rules, request.rule_id());
            if (found == rules.end()) return reply(no_such_rule());
            Response response;
            *response.mutable_rule() = std::move(*found);
            reply(std::move(response));
        });
}

void add_delete(MethodTable& table, Services& services) {
    using Request = service::DeleteWorkflowRuleRequest;
    using Response = service::DeleteWorkflowRuleResponse;
    table.add_namespaced<Request, Response>(
        "DeleteWorkflowRule", [&services](RequestContext, AuthorizedNamespace space,
                                          Request request, Reply<Response> reply) {
            absl::Status status = check_enabled(space, "DeleteWorkflowRule");
            if (status.ok()) status = check_id(request.rule_id(), space->limits);
            if (!status.ok()) return reply(std::move(status));
            services.namespaces.update(
                space->name,
                [id = request.rule_id()](storage::NamespaceRow& row) {
                    return remove_rule(row, id);
                },
                [reply = std::move(reply)](absl::StatusOr<storage::NamespaceRow> row) mutable {
                    if (!row.ok()) return reply(std::move(row).status());
                    reply(Response());
                });
        });
}

void add_list(MethodTable& table) {
    using Request = service::ListWorkflowRulesRequest;
    using Response = service::ListWorkflowRulesResponse;
    table.add_namespaced<Request, Response>(
        "ListWorkflowRules",
        [](RequestContext, AuthorizedNamespace space, Request, Reply<Response> reply) {
            if (auto status = check_enabled(space, "ListWorkflowRules"); !status.ok()) {
                return reply(std::move(status));
            }
            Response response;
            response.mutable_rules()->Assign(space->rules.begin(), space->rules.end());
            reply(std::move(response));
        });
}

}  // namespace

void add_rule_methods(MethodTable& table, Services& services) {
    add_create(table, services);
    add_describe(table);
    add_delete(table, services);
    add_list(table);
}

}  // namespace stele::frontend
