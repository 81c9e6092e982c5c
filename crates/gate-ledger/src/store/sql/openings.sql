FROM private
