/// Every statement, for one set of live generations: texts are made once a set and not once a batch.
final class InlineStatements: Sendable {
  let live: LiveTables
  let accounts: AccountRow.Statements
  let balances: BalanceRow.Statements
  let customers: CustomerRow.Statements
  let holds: HoldRow.Statements
  let approvals: ApprovalRow.Statements
  let sanctions: SanctionsListRow.Statements

  init(_ live: LiveTables) {
    self.live = live
    accounts = AccountRow.Statements(live)
    balances = BalanceRow.Statements(live)
    customers = CustomerRow.Statements(live)
    holds = HoldRow.Statements(live)
    approvals = ApprovalRow.Statements(live)
    sanctions = SanctionsListRow.Statements(live)
  }
}
