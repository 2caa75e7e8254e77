package main

import (
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/workflowservice/v1"
)

func (p *Play) registration() *workflowservice.RegisterNamespaceRequest {
	return &workflowservice.RegisterNamespaceRequest{Namespace: p.name("space"),
		Description: "for a script", OwnerEmail: "owner@example.com",
		WorkflowExecutionRetentionPeriod: seconds(2 * 86400), Data: map[string]string{"key": "value"}}
}

func (Behaviour) NamespaceIsRegisteredOnce(p *Play) {
	p.send(p.registration())
	p.send(p.registration())
	p.send(&workflowservice.DescribeNamespaceRequest{Namespace: p.name("space")})
}

func (Behaviour) NamespaceIsUpdated(p *Play) {
	p.send(p.registration())
	p.send(&workflowservice.UpdateNamespaceRequest{Namespace: p.name("space"),
		UpdateInfo: &namespacepb.UpdateNamespaceInfo{Description: "changed", Data: map[string]string{"more": "data"}},
		Config:     &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: seconds(3 * 86400)}})
	p.send(&workflowservice.DescribeNamespaceRequest{Namespace: p.name("space")})
}

func (Behaviour) UnknownNamespaceIsNotFound(p *Play) {
	p.send(&workflowservice.DescribeNamespaceRequest{Namespace: p.name("none")})
	p.send(&workflowservice.UpdateNamespaceRequest{Namespace: p.name("none"),
		UpdateInfo: &namespacepb.UpdateNamespaceInfo{Description: "changed"}})
}
