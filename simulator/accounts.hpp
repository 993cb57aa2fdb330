#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace latchkey::simulator {

/// Whose account it is. One address space: an address belongs to one of the two.
enum class Provider { kGoogle, kMicrosoft };

/// The tenant of all personal Microsoft accounts.
inline constexpr std::string_view kPersonalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// What Entra knows of a Microsoft account beside name and address.
struct MicrosoftIdentity {
  std::string tid;  ///< Tenant: kPersonalTenant, or a GUID derived from the address's domain.
  std::string oid;  ///< Object id, a GUID; personal ones begin with 16 zeros.
  /// The id token's `email`, which the owner of a tenant may set to anything; empty: no such claim.
  std::string email_claim;
  /// xms_edov as JSON text ("true", "false", "\"1\"", "\"true\""); empty: the claim is absent.
  std::string edov;
  std::vector<std::string> blocked_scopes;  ///< Never in a token, whatever was consented.
  bool user_consent_allowed = true;         ///< False: consent ends on the page "Need admin approval".
  bool disabled = false;                    ///< AADSTS50057.
  bool deleted = false;                     ///< AADSTS50034.
};

/// A fictional person at the simulated Google or Microsoft.
struct Account {
  Provider provider = Provider::kGoogle;
  /// Google: 21 decimal digits, Microsoft: the object id. Derived from the address the account was made with: stable
  /// over restarts.
  std::string sub;
  std::string email;  ///< Lower case.
  std::string name;
  std::string given_name;
  std::string family_name;
  std::string picture;  ///< URL, may be empty.
  std::string hd;       ///< Workspace domain; empty for a consumer account.
  std::string locale = "en";
  bool email_verified = true;
  /// False: every Gmail call answers 400 "Mail service not enabled", every Graph call for mail or calendars 404
  /// MailboxNotEnabledForRESTAPI.
  bool has_mailbox = true;
  /// Further addresses it may send as, lower case. `pending_aliases`: Google knows of them, their owners have not
  /// confirmed them.
  std::vector<std::string> aliases, pending_aliases;
  MicrosoftIdentity microsoft;  ///< Empty for a Google account.

  /// Its own address or a confirmed alias, in any case.
  bool MaySendAs(std::string_view address) const;
  bool IsMicrosoft() const { return provider == Provider::kMicrosoft; }
  /// A Microsoft account of a person, not of an organisation.
  bool IsPersonal() const { return microsoft.tid == kPersonalTenant; }
  /// Makes it a personal account or one of an organisation: sets tid, oid and sub anew.
  void SetPersonal(bool personal);

  /// Sets the address, in lower case.
  void SetEmail(std::string_view address);
  /// Sets name, given and family name (what follows the last blank).
  void SetName(std::string_view full_name);
};

/// The GUID that stands for a domain's tenant or for an account's object, the same in every run.
std::string DerivedGuid(std::string_view text);

/// Everybody the simulator knows, in the order the account chooser shows them. Addresses of accounts stay valid for the
/// life of the registry. Loop thread only.
class AccountRegistry {
 public:
  /// Adds a person, or returns the one who already has this address. An empty name is made from the address. `hd` is
  /// set from the domain unless that is gmail.com.
  Account& Add(std::string_view email, std::string_view name = {});
  /// The same at Microsoft: a personal account when the domain is one Microsoft gives out (outlook.com, hotmail.com,
  /// live.com, msn.com, or their stand-in outlook.example), else one of the domain's tenant. An address that is
  /// Google's already stays Google's.
  Account& AddMicrosoft(std::string_view email, std::string_view name = {});

  /// Without regard to case. nullptr when unknown.
  Account* FindByEmail(std::string_view email);
  const Account* FindByEmail(std::string_view email) const;
  const Account* FindBySub(std::string_view sub) const;
  /// The tenant GUID behind a domain or a GUID that some Microsoft account belongs to; empty when nobody does.
  std::string FindTenant(std::string_view domain_or_guid) const;

  const std::deque<Account>& all() const { return accounts_; }

 private:
  std::deque<Account> accounts_;
};

}  // namespace latchkey::simulator
