/// Names of people and businesses that don't exist.
enum DemoNames {
  static let given = [
    "Aroha", "Hemi", "Ngaire", "Wiremu", "Mere", "Tama", "Kiri", "Rangi", "Charlotte", "Oliver", "Isla", "Jack",
    "Amelia",
    "Noah", "Sophie", "Liam", "Grace", "Lucas", "Ruby", "Thomas", "Mei", "Wei", "Priya", "Arjun", "Ana", "Sione",
    "Losa",
    "Tevita", "Min-jun", "Hana", "Fatima", "Omar", "Ingrid", "Pieter", "Margaret", "Graeme",
  ]

  static let family = [
    "Ngata", "Parata", "Tamihana", "Walker", "Smith", "Wilson", "Taylor", "Brown", "Thompson", "Anderson", "Harris",
    "McKenzie", "Campbell", "Robertson", "Chen", "Wang", "Li", "Patel", "Singh", "Sharma", "Tuilagi", "Faleafa", "Vea",
    "Kim", "Park", "Hughes", "Edwards", "Fraser", "Morgan", "van Dijk", "Ahmed", "Baker", "Kereama", "Rewi",
  ]

  /// Where people buy, what it costs in cents, and how many of a hundred purchases are made there.
  static let shops: [(name: String, cents: ClosedRange<Int64>, share: Int)] = [
    ("Four Corners Supermarket Thorndon", 1_800...21_000, 16),
    ("Four Corners Supermarket Papanui", 1_800...21_000, 14),
    ("Harvest Lane Grocers", 900...9_500, 12),
    ("Karaka Street Dairy", 250...2_400, 10),
    ("Flat White House", 480...1_900, 14),
    ("The Kererū Café", 520...3_200, 9),
    ("Southerly Fuels Petone", 3_000...14_000, 8),
    ("Southerly Fuels Ōtāhuhu", 3_000...14_000, 6),
    ("Rātā Pharmacy", 600...6_500, 5),
    ("Toetoe Books", 1_500...7_900, 3),
    ("Number Eight Hardware", 700...31_000, 3),
  ]

  static let landlords = ["Harbour View Lettings", "Tōtara Property Partners", "Southern Cross Rentals"]
  static let utilities: [(name: String, cents: ClosedRange<Int64>)] = [
    ("Waitaki Power", 9_000...28_000), ("Pīwakawaka Broadband", 6_500...9_900),
  ]
}
