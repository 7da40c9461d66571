% kept = [f"my API keys ({', '.join(key['label'] for key in keys)})"] if keys else []
% kept += [f"my passkeys ({', '.join(passkey.label for passkey in passkeys)})"] if passkeys else []
% if kept:
<label class="choice"><input type="checkbox" name="keep_keys" value="yes"> <span>Keep {{' and '.join(kept)}}. Otherwise they are revoked.</span></label>
% end
