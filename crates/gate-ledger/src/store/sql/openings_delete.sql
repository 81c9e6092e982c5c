DELETE FROM private
