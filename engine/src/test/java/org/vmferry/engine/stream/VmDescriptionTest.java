package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.MigrationException;

import java.nio.charset.StandardCharsets;

class VmDescriptionTest {
    private static VmDescription parse(String json) throws MigrationException {
        return VmDescription.parse(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    private static long length(String state) throws MigrationException {
        return parse("{'page_size':4096,'devices':[{'name':'d','instance_id':0," + state + "}]}")
                .devices()
                .getFirst()
                .length();
    }

    @ParameterizedTest
    @Tag("STR-9")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "'fields':[{'name':'a','type':'uint32','size':4},{'name':'b','size':1}] | 5",
                "'fields':[{'name':'a','array_len':6,'size':3}] | 18",
                "'fields':[{'name':'a','index':0,'size':3},{'name':'a','size':3}] | 6",
                "'fields':[] | 0",
                "'version':1 | 0",
                "'fields':[{'type':'struct','struct':{'fields':[{'size':99}]},'size':7}] | 7",
                "'fields':[{'type':'tmp','vmsd_name':'x','fields':[{'size':9}],'size':2}] | 2",
                "'fields':[{'size':9,'fields':[{'size':1}],'fields':[{'size':2}]}] | 9",
                "'fields':[{'name':'p','type':'nullptr','size':1}] | 1",
                "'fields':[{'name':'data','type':'buffer','size':300}] | 300",
                "'fields':[{'size':2}],'subsections':[{'vmsd_name':'d/é','fields':[{'size':5}]}] |"
                        + " 17",
                "'subsections':[{'vmsd_name':'a','subsections':[{'vmsd_name':'bc'}]}] | 15",
            })
    void eachConstructHasItsLength(String state, long length) throws MigrationException {
        assertThat(length(state)).isEqualTo(length);
    }

    @ParameterizedTest
    @Tag("STR-8")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "{ | Not JSON",
                "[] | 'VMDESCRIPTION' is []",
                "{'devices':5} | 'devices' is 5",
                "{'page_size':4096,'devices':[7]} | 'devices' is 7",
                "{'page_size':4096,'devices':[{}]} | 'name' is null",
                "{'page_size':4096,'devices':[{'name':1}]} | 'name' is 1",
                "{'page_size':4096,'devices':[{'name':'a'}]} | 'instance_id' is null",
                "{'page_size':4096,'devices':[{'name':'a','instance_id':-1}]} | 'instance_id' is"
                        + " -1",
                "{'page_size':1.5} | 'page_size' is 1.5",
                "{'page_size':9223372036854775808} | 'page_size' is 9223372036854775808",
                "{} | 'page_size' is null",
            })
    void whatMakesNoSenseIsNamed(String json, String message) {
        assertThatThrownBy(() -> parse(json))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @Tag("STR-9")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "{'size':-1} | 'size' is -1",
                "{'size':18446744073709551621} | 'size' is 18446744073709551621",
                "{'size':4.5} | 'size' is 4.5",
                "{'size':2147483648} | 'size' is 2147483648",
                "{'size':1,'array_len':-5} | 'array_len' is -5",
                "{'size':2147483647,'array_len':2147483647} | a section's length",
                "{'size':null} | 'size' is null",
                "{} | 'size' is null",
                "5 | 'fields' is 5",
            })
    void sizesAreCheckedBeforeTheyAreReckonedWith(String field, String message) {
        assertThatThrownBy(() -> length("'fields':[" + field + "]"))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining(message);
    }

    /** A message had all of it, up to 16 MiB. */
    @ParameterizedTest
    @Tag("STR-8")
    @ValueSource(
            strings = {
                "{'page_size':4096,'devices':[{'name':'%s','instance_id':0}]}",
                "{'page_size':4096,'devices':[{'name':'a','instance_id':0,'subsections':"
                        + "[{'vmsd_name':'%s'}]}]}"
            })
    void aNameIsNoLongerThanInTheStream(String json) throws MigrationException {
        parse(json.formatted("x".repeat(255)));
        assertThatThrownBy(() -> parse(json.formatted("é".repeat(128))))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("must be a name of at most 255 bytes");
    }

    @Test
    @Tag("STR-9")
    void sumsAreBounded() {
        String big = "{'size':2147483647,'array_len':500},";
        assertThatThrownBy(() -> length("'fields':[" + big.repeat(2) + "{'size':1}]"))
                .hasMessageContaining("a section's length");
    }
}
