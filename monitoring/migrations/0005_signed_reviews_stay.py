"""A signed review and what it decided cannot be changed, by whatever way the change comes.

People who leave may be forgotten (their columns become null); the record itself keeps names as text. Deleting needs the
setting `vitals.erase_reviews` for the length of one transaction: `monitoring.reviews.records.erase`.
"""

from django.db import migrations

KEEP = """
CREATE FUNCTION monitoring_keep_signed_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'signed' OR current_setting('vitals.erase_reviews', true) = 'on' THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - '{opened_by_id,signed_by_id}'::text[] = to_jsonb(OLD) - '{opened_by_id,signed_by_id}'::text[]
        AND (NEW.opened_by_id IS NULL OR NEW.opened_by_id = OLD.opened_by_id)
        AND (NEW.signed_by_id IS NULL OR NEW.signed_by_id = OLD.signed_by_id)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Review % is signed: its record can no longer be changed.', OLD.id USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER monitoring_keep_signed_review BEFORE UPDATE OR DELETE ON monitoring_review
    FOR EACH ROW EXECUTE FUNCTION monitoring_keep_signed_review();

CREATE FUNCTION monitoring_keep_signed_item() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held bigint := CASE WHEN TG_OP = 'INSERT' THEN NEW.review_id ELSE OLD.review_id END;
BEGIN
    IF current_setting('vitals.erase_reviews', true) = 'on'
        OR NOT EXISTS (SELECT FROM monitoring_review WHERE id = held AND state = 'signed')
    THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - '{watched_id,saved_by_id}'::text[] = to_jsonb(OLD) - '{watched_id,saved_by_id}'::text[]
        AND (NEW.watched_id IS NULL OR NEW.watched_id = OLD.watched_id)
        AND (NEW.saved_by_id IS NULL OR NEW.saved_by_id = OLD.saved_by_id)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Review % is signed: its items can no longer be changed.', held USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER monitoring_keep_signed_item BEFORE INSERT OR UPDATE OR DELETE ON monitoring_reviewitem
    FOR EACH ROW EXECUTE FUNCTION monitoring_keep_signed_item();
"""

DROP = """
DROP TRIGGER monitoring_keep_signed_item ON monitoring_reviewitem;
DROP FUNCTION monitoring_keep_signed_item();
DROP TRIGGER monitoring_keep_signed_review ON monitoring_review;
DROP FUNCTION monitoring_keep_signed_review();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0004_reviews"),
    ]

    operations = [
        migrations.RunSQL(KEEP, DROP),
    ]
