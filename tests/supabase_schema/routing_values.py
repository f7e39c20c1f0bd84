"""For every constraint of the routing tables, SQL that violates it."""

NEW = "insert into routing_metrics (user_id, request_id, provider, model"
BUDGET = "insert into routing_budgets (user_id, period, provider, soft_limit, hard_limit) values (%(owner)s"
PRICE = "insert into model_prices (provider, model, input_price, output_price) values"


def _metric(column: str, value: str) -> str:
    return f"{NEW}, {column}) values (%(owner)s, 'r', 'p', 'm', {value})"


CONSTRAINTS = {
    "routing_metrics_request_id_length": f"{NEW}) values (%(owner)s, '', 'p', 'm')",
    "routing_metrics_timestamp_range": _metric('"timestamp"', "'-infinity'"),
    "routing_metrics_provider_length": f"{NEW}) values (%(owner)s, 'r', ' ', 'm')",
    "routing_metrics_model_length": f"{NEW}) values (%(owner)s, 'r', 'p', repeat('x', 121))",
    "routing_metrics_route_length": _metric("route", "repeat('x', 81)"),
    "routing_metrics_prompt_fingerprint_form": _metric("prompt_fingerprint", "'What the prompt says'"),
    "routing_metrics_prompt_length_range": _metric("prompt_length", "-1"),
    "routing_metrics_prompt_size": _metric("prompt", "repeat('x', 20001)"),
    "routing_metrics_input_tokens_range": _metric("input_tokens", "-1"),
    "routing_metrics_output_tokens_range": _metric("output_tokens", "-1"),
    "routing_metrics_cost_range": _metric("cost", "'nan'"),
    "routing_metrics_latency_ms_range": _metric("latency_ms", "86400001"),
    "routing_metrics_error_kind_length": _metric("success, error_kind", "false, ''"),
    "routing_metrics_success_or_error": _metric("success", "false"),
    "routing_metrics_fallback_from_length": _metric("fallback, fallback_from", "true, ''"),
    "routing_metrics_fallback_known": _metric("fallback_from", "'m'"),
    "routing_metrics_dropped_range": _metric("dropped", "-1"),
    "routing_metrics_metadata_form": _metric("metadata", "'[]'"),
    "routing_metrics_metadata_readable": _metric("metadata", "'{\"a\": 1e301}'"),
    "routing_budgets_period_known": f"{BUDGET}, 'year', null, 1, 2)",
    "routing_budgets_provider_length": f"{BUDGET}, 'day', ' ', 1, 2)",
    "routing_budgets_soft_limit_range": f"{BUDGET}, 'day', 'p', 0, 2)",
    "routing_budgets_hard_limit_range": f"{BUDGET}, 'day', 'p', 1, 'nan')",
    "routing_budgets_soft_before_hard": f"{BUDGET}, 'day', 'p', 3, 2)",
    "model_prices_provider_length": f"{PRICE} ('', 'm', 1, 1)",
    "model_prices_model_length": f"{PRICE} ('p', ' ', 1, 1)",
    "model_prices_input_price_range": f"{PRICE} ('p', 'm', -1, 1)",
    "model_prices_output_price_range": f"{PRICE} ('p', 'm', 1, 'nan')",
}
