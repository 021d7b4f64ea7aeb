package org.vmferry.it.fuzz;

import java.math.BigInteger;
import java.security.Principal;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Date;
import java.util.Set;

/** A genuine certificate to the JDK that shows it; its peer gets other bytes. */
final class ForgedCertificate extends X509Certificate {
    private static final long serialVersionUID = 1;

    private final X509Certificate genuine;
    private final byte[] shown;

    ForgedCertificate(X509Certificate genuine, byte[] shown) {
        this.genuine = genuine;
        this.shown = shown;
    }

    @Override
    public byte[] getEncoded() {
        return shown.clone();
    }

    @Override
    public void checkValidity() {
        // It is as valid as it can be.
    }

    @Override
    public void checkValidity(Date date) {
        // It is as valid as it can be.
    }

    @Override
    public void verify(PublicKey key) {
        // Nobody asks.
    }

    @Override
    public void verify(PublicKey key, String provider) {
        // Nobody asks.
    }

    @Override
    public int getVersion() {
        return genuine.getVersion();
    }

    @Override
    public BigInteger getSerialNumber() {
        return genuine.getSerialNumber();
    }

    @Override
    @SuppressWarnings("deprecation")
    public Principal getIssuerDN() {
        return genuine.getIssuerDN();
    }

    @Override
    @SuppressWarnings("deprecation")
    public Principal getSubjectDN() {
        return genuine.getSubjectDN();
    }

    @Override
    public Date getNotBefore() {
        return genuine.getNotBefore();
    }

    @Override
    public Date getNotAfter() {
        return genuine.getNotAfter();
    }

    @Override
    public byte[] getTBSCertificate() throws CertificateEncodingException {
        return genuine.getTBSCertificate();
    }

    @Override
    public byte[] getSignature() {
        return genuine.getSignature();
    }

    @Override
    public String getSigAlgName() {
        return genuine.getSigAlgName();
    }

    @Override
    public String getSigAlgOID() {
        return genuine.getSigAlgOID();
    }

    @Override
    public byte[] getSigAlgParams() {
        return genuine.getSigAlgParams();
    }

    @Override
    public boolean[] getIssuerUniqueID() {
        return genuine.getIssuerUniqueID();
    }

    @Override
    public boolean[] getSubjectUniqueID() {
        return genuine.getSubjectUniqueID();
    }

    @Override
    public boolean[] getKeyUsage() {
        return genuine.getKeyUsage();
    }

    @Override
    public int getBasicConstraints() {
        return genuine.getBasicConstraints();
    }

    @Override
    public PublicKey getPublicKey() {
        return genuine.getPublicKey();
    }

    @Override
    public boolean hasUnsupportedCriticalExtension() {
        return genuine.hasUnsupportedCriticalExtension();
    }

    @Override
    public Set<String> getCriticalExtensionOIDs() {
        return genuine.getCriticalExtensionOIDs();
    }

    @Override
    public Set<String> getNonCriticalExtensionOIDs() {
        return genuine.getNonCriticalExtensionOIDs();
    }

    @Override
    public byte[] getExtensionValue(String oid) {
        return genuine.getExtensionValue(oid);
    }

    @Override
    public String toString() {
        return "forged from " + genuine;
    }
}
