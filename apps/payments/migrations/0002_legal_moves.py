"""The triggers that refuse what `states.MOVES` and `states.FIRST` do not name."""

from django.db import migrations

FIRST = (
    "PAYER_PSP CREATED",
    "PAYEE_PSP RECEIVED",
    "DEBIT RECEIVED",
    "DEBIT REFUSED_BY_REVERSAL",
    "CREDIT RECEIVED",
    "CREDIT REFUSED_BY_REVERSAL",
    "REVERSAL WAITING_ORIGINAL",
)
MOVES = (
    "PAYER_PSP CREATED SENDING",
    "PAYER_PSP SENDING CREATED",
    "PAYER_PSP SENDING DEEMED",
    "PAYER_PSP SENDING FAILED",
    "PAYER_PSP SENDING SUCCESS",
    "PAYER_PSP SENDING UNKNOWN",
    "PAYER_PSP UNKNOWN DEEMED",
    "PAYER_PSP UNKNOWN FAILED",
    "PAYER_PSP UNKNOWN SUCCESS",
    "PAYEE_PSP RECEIVED AUTHORISED",
    "PAYEE_PSP RECEIVED REFUSED",
    "PAYEE_PSP AUTHORISED CONFIRMED",
    "PAYEE_PSP AUTHORISED FAILED",
    "PAYEE_PSP AUTHORISED UNKNOWN",
    "PAYEE_PSP UNKNOWN CONFIRMED",
    "PAYEE_PSP UNKNOWN FAILED",
    "DEBIT RECEIVED DECLINED",
    "DEBIT RECEIVED REFUSED_BY_REVERSAL",
    "DEBIT RECEIVED VERIFYING",
    "DEBIT VERIFYING DECLINED",
    "DEBIT VERIFYING REFUSED_BY_REVERSAL",
    "DEBIT VERIFYING VERIFIED",
    "DEBIT VERIFIED DECLINED",
    "DEBIT VERIFIED POSTED",
    "DEBIT VERIFIED POSTING",
    "DEBIT VERIFIED REFUSED_BY_REVERSAL",
    "DEBIT POSTING DECLINED",
    "DEBIT POSTING POSTED",
    "DEBIT POSTING UNKNOWN",
    "DEBIT UNKNOWN CANCELLING",
    "DEBIT UNKNOWN POSTED",
    "DEBIT CANCELLING DECLINED",
    "CREDIT RECEIVED DECLINED",
    "CREDIT RECEIVED POSTED",
    "CREDIT RECEIVED POSTING",
    "CREDIT RECEIVED REFUSED_BY_REVERSAL",
    "CREDIT POSTING DECLINED",
    "CREDIT POSTING POSTED",
    "CREDIT POSTING UNKNOWN",
    "CREDIT UNKNOWN CANCELLING",
    "CREDIT UNKNOWN POSTED",
    "CREDIT CANCELLING DECLINED",
    "REVERSAL WAITING_ORIGINAL KEPT",
    "REVERSAL WAITING_ORIGINAL NOT_DONE",
    "REVERSAL WAITING_ORIGINAL POSTED",
    "REVERSAL WAITING_ORIGINAL POSTING",
    "REVERSAL POSTING POSTED",
    "REVERSAL POSTING UNKNOWN",
    "REVERSAL UNKNOWN POSTED",
)


def _array(words):
    return "ARRAY[" + ", ".join(f"'{word}'" for word in words) + "]"


FORWARD = f"""
CREATE FUNCTION payments_refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'leg % may not become % from %', NEW.role, NEW.state, OLD.state
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION payments_refuse_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'leg % may not begin as %', NEW.role, NEW.state
    USING ERRCODE = 'restrict_violation';
END $$;
-- The whole rule is in the condition, so that a legal move costs no function call.
CREATE TRIGGER legal_move BEFORE UPDATE ON payments_leg FOR EACH ROW
  WHEN (OLD.role <> NEW.role OR (OLD.state <> NEW.state AND
        (OLD.role || ' ' || OLD.state || ' ' || NEW.state) <> ALL ({_array(MOVES)})))
  EXECUTE FUNCTION payments_refuse_move();
CREATE TRIGGER legal_first BEFORE INSERT ON payments_leg FOR EACH ROW
  WHEN ((NEW.role || ' ' || NEW.state) <> ALL ({_array(FIRST)}))
  EXECUTE FUNCTION payments_refuse_first();
"""
BACKWARD = """
DROP TRIGGER legal_first ON payments_leg;
DROP TRIGGER legal_move ON payments_leg;
DROP FUNCTION payments_refuse_first();
DROP FUNCTION payments_refuse_move();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
