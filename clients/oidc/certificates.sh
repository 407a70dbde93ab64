# Sourced: `make_certificates FOLDER` makes an authority of our own and a certificate of it for the loopback, in PEM.
make_certificates() {
    local folder=$1
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=An authority of our own" \
        -addext "keyUsage=critical,keyCertSign" -keyout "$folder/authority.key" -out "$folder/authority.pem" 2>"$folder/openssl"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=127.0.0.1" \
        -keyout "$folder/company.key" -out "$folder/company.csr" 2>>"$folder/openssl"
    printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n' >"$folder/extensions"
    openssl x509 -req -days 2 -in "$folder/company.csr" -CA "$folder/authority.pem" -CAkey "$folder/authority.key" \
        -CAcreateserial -extfile "$folder/extensions" -out "$folder/company.pem" 2>>"$folder/openssl"
}
