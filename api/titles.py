"""Titles of problems in both languages: one per frequent code, else one per status."""

from __future__ import annotations

from api.languages import CHINESE

_BY_CODE: dict[str, tuple[str, str]] = {
    "api.malformed_request": ("请求无法读取", "The request cannot be read"),
    "api.invalid_request": ("请求字段有误", "Fields of the request are wrong"),
    "api.body_too_large": ("请求体过大", "The body is too large"),
    "api.no_such_path": ("路径不存在", "Nothing at this path"),
    "api.method_not_allowed": ("不支持该方法", "Method not allowed"),
    "api.key_required": ("需要 API 密钥", "An API key is required"),
    "api.not_a_party": ("非当事方,无权查看", "Only parties may read this"),
    "api.idempotency_key": ("缺少幂等键", "An Idempotency-Key is required"),
    "api.internal": ("服务内部错误", "The service failed"),
    "app.signer_unknown": ("签名账户不属于任何机构", "The account signs for no organisation"),
    "app.unknown_command": ("没有这个命令", "There is no such command"),
    "chain.idempotency_conflict": ("幂等键已用于另一请求", "The key was used for another request"),
    "chain.request_expired": ("请求已过签署期限", "The signed request has expired"),
    "chain.request_replayed": ("签名请求已被使用", "The signed request was already used"),
    "chain.signature_mismatch": ("签名与签署人不符", "The signature is not the sender's"),
    "chain.unreachable": ("链节点无法访问", "The chain cannot be reached"),
    "chain.wrong_chain_id": ("链编号不符", "The node serves another chain"),
    "dataset_registry.content_exists": ("该内容已登记", "This content is registered already"),
    "dataset_registry.not_open": ("不予开放,不得上架", "The dataset is not open"),
    "dataset_registry.unknown_parent": ("上游版本未登记", "The parent is not registered"),
    "directory.unknown_city": ("城市代码未知", "The city is unknown"),
    "directory.unknown_organisation": ("机构未知", "The organisation is unknown"),
    "domain.invalid": ("内容未通过校验", "The content is invalid"),
    "domain.malformed_value": ("取值格式错误", "A value is malformed"),
    "domain.unknown_code": ("代码不在代码表中", "A code is not in its list"),
    "domain.value_out_of_range": ("数值超出范围", "A number is out of range"),
    "objection.evidence_kind": ("证据种类与事由不符", "This evidence is not of the ground"),
    "objection_desk.case_open": ("同一异议正在处理", "The same objection is open"),
    "objection_desk.clock_expired": ("已过时限", "The time for this step is over"),
    "objection_desk.fact_exists": ("同一事实已提出过异议", "The fact was objected to before"),
    "objection_desk.handler_is_party": ("当事方不得处理", "A party may not handle the case"),
    "objection_desk.illegal_step": ("案件状态不允许", "The case does not allow this step"),
    "objection_desk.liability_below_floor": (
        "平台责任低于下限",
        "The platform bears less than its floor",
    ),
    "objection_desk.not_executed": ("决定尚未执行", "The decision is not executed yet"),
    "objection_desk.subject_held": ("异议处理中止期间", "Suspended by an objection"),
    "licence_registry.deadline_passed": ("签署期限已过", "The deadline has passed"),
    "licence_registry.price_above_cap": ("价格高于上限", "The price is above its cap"),
    "log.range": ("凭证序号超出日志", "The log has no such receipt"),
    "meter.intake_full": ("待写入的数据过多", "Too much waits to be written"),
    "meter.intake_stopped": ("服务正在停止", "The service is being stopped"),
    "meter.not_keeper": ("日志由其他机构保管", "The log is kept by another organisation"),
    "meter.other_key": ("密钥不属于该计量点", "The key is not this meter's"),
    "meter.too_many_uses": ("一次提交的条数过多", "Too many rows at a time"),
    "meter.uses_refused": ("计量数据被拒绝", "What the meter sent is refused"),
    "projection.not_found": ("未找到", "There is no such record"),
    "use.expired": ("使用许可已到期", "The licence has expired"),
    "use.key_unknown": ("API 密钥无效", "The API key is not known"),
    "use.licence_suspended": ("使用许可已中止", "The licence is suspended"),
    "use.licence_terminated": ("使用许可已终止", "The licence is terminated"),
    "use.mode_not_granted": ("未许可该提供方式", "This mode is not granted"),
    "use.not_yet_valid": ("使用许可尚未生效", "The licence is not yet valid"),
    "use.page_range": ("分页参数超出范围", "The page is out of range"),
    "use.product_mismatch": ("许可不包含该产品或数据", "The licence is for another product"),
    "use.product_suspended": ("数据产品已暂停", "The product is suspended"),
    "use.purpose_not_granted": ("未许可该用途", "This purpose is not granted"),
    "use.quota_exceeded": ("额度已用尽", "The quota is used up"),
}
_BY_STATUS: dict[int, tuple[str, str]] = {
    400: ("请求有误", "Bad request"),
    401: ("需要身份凭证", "Credentials are required"),
    403: ("无权操作", "Not permitted"),
    404: ("未找到", "Not found"),
    405: ("不支持该方法", "Method not allowed"),
    408: ("请求体未及时到达", "The body did not come in time"),
    409: ("与账本现状冲突", "In conflict with the state of the ledger"),
    410: ("已销毁", "Destroyed"),
    413: ("请求体过大", "The body is too large"),
    415: ("不支持该内容类型", "Not a type of content that is taken"),
    422: ("内容不符合规则", "The content breaks a rule"),
    429: ("额度已用尽", "Quota used up"),
    500: ("服务内部错误", "The service failed"),
    503: ("服务暂不可用", "The service is not available now"),
}


def title_of(code: str, status: int, language: str) -> str:
    """Return the title of a problem in a language."""
    chinese, english = _BY_CODE.get(code) or _BY_STATUS.get(status) or _BY_STATUS[500]
    return chinese if language == CHINESE else english
