/// The roles and the database that a cluster of the local stack holds.
enum ClusterContents {
  /// Brings them about, whatever is there already. For `psql`, as the superuser.
  static let script = """
    SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', name)
      FROM unnest(ARRAY['\(LocalStack.ownerRole)', '\(LocalStack.serverRole)']) AS name
     WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
    \\gexec
    SELECT 'CREATE DATABASE \(LocalStack.database) OWNER \(LocalStack.ownerRole) TEMPLATE template0 ENCODING ''UTF8'''
     WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '\(LocalStack.database)')
    \\gexec
    REVOKE ALL ON DATABASE \(LocalStack.database) FROM PUBLIC;
    GRANT CONNECT ON DATABASE \(LocalStack.database) TO \(LocalStack.serverRole);

    """
}
