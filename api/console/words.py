"""The words of the console in both languages; one key per idea, as in the glossary."""

from __future__ import annotations

from api.languages import CHINESE

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("都市圈数据账本", "Metro Data Ledger"),
    "lead": (
        "谁供数、谁用数、谁应得多少、为什么:每个数字都可由链上事件与日志独立复算。",
        "Who supplied, who used, who gets how much and why: every figure can be recomputed "
        "from chain events and logs.",
    ),
    "invented": (
        "示例数据:机构、成本、价格均为虚构。",
        "Demonstration: organisations, costs and prices are invented.",
    ),
    "trial": (
        "试运行:本链的公示期短于法定的十个工作日。",
        "Trial: public notice on this chain is shorter than the ten working days of the law.",
    ),
    "other_language": ("English", "中文"),
    "used": ("谁使用", "Who used"),
    "buyer": ("使用方", "Buyer"),
    "product": ("数据产品", "Product"),
    "licence": ("使用许可", "Licence"),
    "units": ("用量", "Units"),
    "billed": ("账单(元)", "Billed (yuan)"),
    "paid": ("到账(元)", "Paid (yuan)"),
    "gets": ("谁应得多少、为什么", "Who gets how much, and why"),
    "claimant": ("数据资源 / 机构", "Dataset / organisation"),
    "payee": ("收款方", "Paid to"),
    "why": ("依据", "Why"),
    "cost": ("核定成本(元)", "Approved cost (yuan)"),
    "entitled": ("应得(元,含微分)", "Entitled (yuan, exact)"),
    "remitted": ("已划拨(元)", "Remitted (yuan)"),
    "tax": ("税费", "tax"),
    "lineage_cost": ("成本补偿", "cost of the lineage"),
    "common_cost": ("公共成本", "common cost"),
    "benefit": ("收益分享", "benefit"),
    "correction": ("红冲", "taken back"),
    "carry_in": ("上期扣减", "deducted from an earlier cycle"),
    "cycle_close": ("周期结账", "close of the cycle"),
    "reserve": ("超收待扣减", "reserve"),
    "income": ("笔收入", "income(s)"),
    "supplied": ("数据资源", "Datasets"),
    "provider": ("数源单位", "Provider"),
    "class": ("开放类型", "Open class"),
    "state": ("登记状态", "State"),
    "version": ("版本", "Version"),
    "rows": ("行数", "Rows"),
    "digest": ("SHA-256 摘要", "SHA-256"),
    "unconditional": ("无条件开放", "unconditional"),
    "conditional": ("有条件开放", "conditional"),
    "not_open": ("不予开放", "not open"),
    "evidenced": ("存证", "evidenced"),
    "coded": ("赋码", "coded"),
    "anchors": ("上链锚定", "Anchors"),
    "size": ("计量凭证数", "Receipts"),
    "root": ("根", "Root"),
    "log": ("使用日志", "Log"),
    "api": ("接口文档", "API documentation"),
    "figures": ("同一数据(JSON)", "The same figures (JSON)"),
    "proof": ("第一条凭证的证明", "Proof of the first receipt"),
    "providers": ("数源单位", "Providers"),
    "flow": ("资金与数据的流向", "The way of data and money"),
    "block": ("区块", "Block"),
    "none": ("暂无", "Nothing yet"),
    "reference_lead": (
        "写操作分两步:prepare 返回待签名的数据,机构用自己的密钥签名后提交。",
        "Writing takes two steps: prepare returns what is to be signed; the organisation signs it "
        "with its own key and submits it.",
    ),
    "required": ("必填", "required"),
    "body": ("请求体", "Body"),
    "bodies": ("请求体字段", "Fields of bodies"),
    "net": ("净收入", "Net income"),
    "pot": ("净收入", "Net income"),
    "yuan": ("元", "yuan"),
    "skip": ("跳到正文", "Skip to content"),
    "flow_text": (
        "左起:数源单位供数,形成数据产品,使用方付款;净收入经分账归各收款方。线越宽,份额越大。",
        "From the left: providers supply products, buyers pay; the net income is split among the "
        "payees. The wider a line, the larger its share.",
    ),
    "column_provider": ("供数", "Supplied by"),
    "column_product": ("数据产品", "Products"),
    "column_buyer": ("使用与付款", "Used and paid by"),
    "column_pot": ("分账", "Split"),
    "column_payee": ("归谁", "Paid to"),
    "purpose": ("用途", "Purpose"),
    "free": ("公益,免费", "public interest, free"),
    "invoice": ("账单", "invoice"),
    "signed_at": ("检查点时间", "Signed at"),
    "transaction": ("交易", "Transaction"),
    "paid_total": ("到账", "Paid"),
    "net_total": ("净收入", "Net of VAT"),
    "remitted_total": ("已划拨", "Remitted"),
    "receipts_total": ("已锚定凭证", "Anchored receipts"),
    "counts": ("数据资源 · 产品 · 许可", "Datasets · products · licences"),
}


def words_of(language: str) -> dict[str, str]:
    """Return every word in one language."""
    place = 0 if language == CHINESE else 1
    return {key: pair[place] for key, pair in _WORDS.items()}
