SELECT commitment, seq, field, salt, value FROM private
