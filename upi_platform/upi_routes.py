"""Which service receives which UPI message: (message, Txn type) to an app's endpoint."""

from collections.abc import Mapping

ROUTES: Mapping[tuple[str, str], str] = {
    # The payment engine: every role of a payment.
    ("ReqAuthDetails", "PAY"): "apps.payments.endpoint.receive_authorisation",
    ("ReqAuthDetails", "COLLECT"): "apps.payments.endpoint.receive_collect",
    ("ReqPay", "DEBIT"): "apps.payments.endpoint.receive_debit",
    ("ReqPay", "CREDIT"): "apps.payments.endpoint.receive_credit",
    ("ReqPay", "REVERSAL"): "apps.payments.endpoint.receive_reversal",
    ("RespPay", "PAY"): "apps.payments.endpoint.receive_payment_answer",
    ("RespPay", "COLLECT"): "apps.payments.endpoint.receive_payment_answer",
    ("RespPay", "REFUND"): "apps.payments.endpoint.receive_payment_answer",
    ("ReqTxnConfirmation", "TxnConfirmation"): "apps.payments.endpoint.receive_confirmation",
    ("ReqChkTxn", "ChkTxn"): "apps.payments.endpoint.receive_check",
    ("RespChkTxn", "ChkTxn"): "apps.payments.endpoint.receive_check_answer",
    # The issuer: what an account's owner asks through the switch.
    ("ReqOtp", "Otp"): "apps.accounts.endpoint.receive_otp",
    ("ReqRegMob", "ReqRegMob"): "apps.accounts.endpoint.receive_registration",
    ("ReqSetCre", "SetCre"): "apps.accounts.endpoint.receive_pin_change",
    ("ReqBalEnq", "BalEnq"): "apps.accounts.endpoint.receive_balance_enquiry",
    ("ReqListAccount", "ListAccount"): "apps.accounts.endpoint.receive_account_listing",
    # The PSP: the answers to what our own app's users asked.
    ("RespListAccount", "ListAccount"): "apps.customers.endpoint.receive_listing_answer",
    ("RespListKeys", "GetToken"): "apps.customers.endpoint.receive_token_answer",
    ("RespOtp", "Otp"): "apps.customers.endpoint.receive_otp_answer",
    ("RespRegMob", "ReqRegMob"): "apps.customers.endpoint.receive_registration_answer",
    ("RespSetCre", "SetCre"): "apps.customers.endpoint.receive_change_answer",
    ("RespBalEnq", "BalEnq"): "apps.customers.endpoint.receive_balance_answer",
    # Whose an address is: other PSPs ask us, and we ask them.
    ("ReqValAdd", "ValAdd"): "apps.vpa.endpoint.receive_verification",
    ("RespValAdd", "ValAdd"): "apps.vpa.endpoint.receive_verification_answer",
    ("RespManageVae", "ManageVae"): "apps.merchants.endpoint.receive_announcement_answer",
    ("RespPendingMsg", "PendingMsg"): "apps.vpa.endpoint.receive_pending_answer",
    # The directory: the switch's lists, which we pull.
    ("RespListPsp", "ListPsp"): "apps.upi.services.pull.receive_answer",
    ("RespListAccPvd", "ListAccPvd"): "apps.upi.services.pull.receive_answer",
    ("RespListKeys", "ListKeys"): "apps.upi.services.pull.receive_answer",
    ("RespListKeys", "ListPSPKeys"): "apps.upi.services.pull.receive_answer",
    ("RespListVae", "ListVae"): "apps.upi.services.pull.receive_answer",
}
