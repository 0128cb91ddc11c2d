-- The log for people: payloads as JSON.
create view event_log as
  select position, stream_kind, stream_id, stream_version, type, schema_version,
    convert_from(payload, 'UTF8')::jsonb as payload, command_id, command_index, actor, causation_id,
    coalesce(correlation_id, command_id) as correlation_id, moment, book_date, rule_set
  from events;
