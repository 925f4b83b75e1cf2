"""The five rules that ship, all switched off."""

from llma_assets.alerts.rule import Rule

SHIPPED = {
    rule.rule: rule
    for rule in (
        Rule("new_cluster", "new_cluster", name="New cluster", enabled=False, min_traces=10, min_users=10),
        Rule(
            "escalating", "escalating", name="Escalating", enabled=False,
            times_expected=2.4, min_traces=10, min_users=3,
        ),
        Rule(
            "error_rate", "threshold", name="Error rate of a cluster", enabled=False, measure="error_rate",
            above=0.2, times_previous=2, min_traces=20, min_users=3,
        ),
        Rule("regressed", "regressed", name="Regressed", enabled=False, min_traces=5, min_users=3),
        Rule("gate_blocked", "gate_blocked", name="Results blocked", enabled=False),
    )
}  # fmt: skip
