FROM private INDEXED BY private_commitment WHERE substr(commitment, 1, 32) = ?1
